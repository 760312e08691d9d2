package drivers

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	kafkatest "github.com/asyncgate/asyncgate/test/kafka"
	"github.com/asyncgate/asyncgate/test/parts"
)

// Java is the command of the driver of Apache Kafka's own client.
func Java(t testing.TB) []string {
	t.Helper()
	parts.Need(t, "java")
	classes := installed(t, "java", "Client.class")
	jars := filepath.Join(kafkatest.Jars(t, kafkatest.Newest), "*")
	return []string{"java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dlog4j2.level=OFF",
		"-cp", filepath.Dir(classes) + string(os.PathListSeparator) + jars, "Client"}
}

// Python is the command of a driver in ../python; needs are the other programs that it runs.
func Python(script string, needs ...string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		t.Helper()
		parts.Need(t, needs...)
		return []string{installed(t, "venv", "bin", "python"), parts.Path(t, "test", "clients", "python", script)}
	}
}

// Node is the command of a driver in ../node, which is made with a module.
func Node(script, module string) func(testing.TB) []string {
	return func(t testing.TB) []string {
		t.Helper()
		parts.Need(t, "node")
		installed(t, "node", "node_modules", module)
		return []string{"node", parts.Path(t, "test", "clients", "node", script)}
	}
}

// Go builds a driver in Go once, from the package of that path below the module's, and is its command.
func Go(elem ...string) func(testing.TB) []string {
	var once sync.Once
	var path string
	var said []byte
	var err error
	return func(t testing.TB) []string {
		t.Helper()
		parts.Need(t)
		once.Do(func() {
			var dir string
			if dir, err = os.MkdirTemp("", "asyncgate-driver-"); err != nil {
				return
			}
			parts.AtExit(func() { _ = os.RemoveAll(dir) })
			path = filepath.Join(dir, elem[len(elem)-1])
			said, err = exec.Command("go", "build", "-o", path, parts.Path(t, elem...)).CombinedOutput()
		})
		if err != nil {
			t.Fatalf("go build %s: %v\n%s", filepath.Join(elem...), err, said)
		}
		return []string{path}
	}
}

// installed is the path of something that install.sh put into the cache.
func installed(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{parts.Cache(t)}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		parts.Absent(t, "needs test/clients/install.sh to have run: %v", err)
	}
	return path
}
