// Answers each line of standard input, "key version code -body", with the same and the body of the error response that
// Apache Kafka's own classes make of it ("null": none). testdata/errors.txt is made with it:
//
//   go test ./proxy/kafka/api -run ErrorResponses -questions q.txt
//   javac -cp 'LIB/*' ErrorResponses.java && java -cp 'LIB/*:.' ErrorResponses < q.txt
//
// with kafka-clients 4.4.0, and for the lines that it answers with "error", because Kafka 4 has removed the version,
// with kafka-clients 3.9.2 (there parseRequest takes the ByteBuffer itself, and MessageUtil has toByteBuffer).
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;

public class ErrorResponses {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            System.out.println(line + " " + answer(line.split(" ")));
        }
    }

    static String answer(String[] part) {
        short version = Short.parseShort(part[1]);
        ByteBuffer body = ByteBuffer.wrap(HexFormat.of().parseHex(part[3].substring(1)));
        try {
            AbstractRequest request = AbstractRequest.parseRequest(
                ApiKeys.forId(Short.parseShort(part[0])), version, new ByteBufferAccessor(body)).request;
            AbstractResponse response = request.getErrorResponse(0, Errors.forCode(Short.parseShort(part[2])).exception());
            if (response == null) {
                return "null";
            }
            ByteBuffer out = MessageUtil.toByteBufferAccessor(response.data(), version).buffer();
            byte[] bytes = new byte[out.remaining()];
            out.get(bytes);
            return HexFormat.of().formatHex(bytes);
        } catch (Exception e) {
            return "error";
        }
    }
}
