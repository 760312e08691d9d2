// Package hostile_test has everything wrong, odd and malicious with a gateway that runs in the test, before a canary that
// writes down what reaches it, and measures what each input costs.
//
// The vectors are files in testdata, a class each; package dialogue says how to read them, and [vector] what stands above
// a dialogue. For every vector holds: nothing of it reaches the broker; it is refused within a second; it makes the
// gateway allocate at most four times its bytes and 64 KiB, and compute for 5 ms; afterwards there are no more goroutines
// and descriptors than before; there is one audit record with the expected code, and no password in the log; and a
// client that means well is answered meanwhile.
//
// The vectors of MQTT are the classes M01 to M11 and W01, [mqttVector] says how to read them. They are had on TCP and inside
// a WebSocket, and judged by package wire alone besides.
//
// Where operations are enforced come K10 and K12 of Kafka, and the classes of MQTT whose names end in -rules. There a part
// of what is sent may be allowed: the vector says what of it reaches the broker, and nothing besides may.
//
// Who asks whether a name is known is answered the same bytes either way (S05): enumeration.txt has all roads to a login.
package hostile_test
