package credentials

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/asyncgate/asyncgate/sasl"
)

func importFile(t *testing.T, format, name string) *Imported {
	t.Helper()
	in, err := os.Open("testdata/import/" + name)
	must(t, err)
	defer in.Close()
	imported, err := Import(format, in)
	must(t, err)
	return imported
}

func namesOf(i *Imported) []string {
	var names []string
	for _, u := range i.Users {
		names = append(names, u.Name)
	}
	return names
}

func storeFrom(t *testing.T, i *Imported) *Store {
	t.Helper()
	f := &File{}
	_, err := f.Merge(i.Users, false, Grant{})
	must(t, err)
	return storeOf(t, f)
}

// The files are what PostgreSQL 15 printed.
func TestImportFromPostgreSQL(t *testing.T) {
	for file, want := range map[string]struct {
		names []string
		left  int
	}{
		"postgresql-psql.txt": {[]string{"alice", "zoë, jr"}, 3},
		"postgresql-csv.txt":  {[]string{"alice", "zoë, jr"}, 3},
		"postgresql-copy.txt": {[]string{"alice", "zoë, jr"}, 3}, // a name with a tab cannot be one here
	} {
		t.Run(file, func(t *testing.T) {
			i := importFile(t, FormatPostgreSQL, file)
			if !slices.Equal(namesOf(i), want.names) {
				t.Errorf("users %q", namesOf(i))
			}
			warnings := strings.Join(i.Warnings, "\n")
			if strings.Count(warnings, "left out") != want.left || !strings.Contains(warnings, `"zoë, jr" is not ASCII`) {
				t.Errorf("warnings:\n%s", warnings)
			}
			s := storeFrom(t, i)
			wantLogin(t, s, sasl.ScramSHA256, "alice", "alice-secret", "")
			wantLogin(t, s, sasl.Plain, "zoë, jr", "zoe-secret", "")
			wantLogin(t, s, sasl.ScramSHA512, "alice", "alice-secret", sasl.CodeUnknownUser)
		})
	}
}

// The file is what Kafka 4.3.1 printed of a cluster that StorageTool formatted with users, after kafka-configs.sh had
// removed one credential of admin, and given bob a new password with 8192 iterations.
func TestImportFromAKafkaMetadataDump(t *testing.T) {
	i := importFile(t, FormatKafkaDump, "kafka-dump.txt")
	if want := []string{"admin", "alice", "bob", "zoë", `zoë, "q"`}; !slices.Equal(namesOf(i), want) {
		t.Fatalf("users %q", namesOf(i))
	}
	s := storeFrom(t, i)
	wantLogin(t, s, sasl.ScramSHA256, "admin", "admin-secret", "")
	wantLogin(t, s, sasl.ScramSHA512, "admin", "admin-secret", sasl.CodeUnknownUser)
	wantLogin(t, s, sasl.ScramSHA512, "alice", "alice-secret", "")
	wantLogin(t, s, sasl.Plain, "alice", "alice-secret", "")
	wantLogin(t, s, sasl.ScramSHA256, "bob", "bob-new", "")
	wantLogin(t, s, sasl.ScramSHA256, "bob", "bob-secret", sasl.CodeWrongPassword)
	wantLogin(t, s, sasl.ScramSHA512, "bob", "bob-secret", "")
	wantLogin(t, s, sasl.ScramSHA512, `zoë, "q"`, "zoe-secret", "")
	if !s.SaltShape(sasl.SHA256).Kafka {
		t.Error("strangers do not get salts like Kafka's")
	}
}

func TestImportFromKafkaConfigs(t *testing.T) {
	i := importFile(t, FormatKafkaConfigs, "kafka-configs.txt")
	if want := []string{"admin", "it's me", "bracketed"}; !slices.Equal(namesOf(i), want) {
		t.Fatalf("users %q", namesOf(i))
	}
	s := storeFrom(t, i)
	wantLogin(t, s, sasl.ScramSHA256, "admin", "admin-secret", "")
	wantLogin(t, s, sasl.ScramSHA512, "admin", "admin-secret", "")
	wantLogin(t, s, sasl.ScramSHA256, "it's me", "admin-secret", "")
	wantLogin(t, s, sasl.ScramSHA512, "bracketed", "admin-secret", "")
}

func TestImportRefuses(t *testing.T) {
	configs, err := os.ReadFile("testdata/import/kafka-configs-4.x.txt")
	must(t, err)
	verifier := "SCRAM-SHA-256$4096:sqJbRm5OJ1lZKhqkN7izzQ==$OJx3kHi8rowkjzYNNWhg7NNBfqy2bRIGCv4M9Z1r5XQ=:TcW/NclKsI1imSNR/+NE8mhyh97HHLK62n/hwW+npgs="
	for name, c := range map[string]struct{ format, text, want string }{
		"an unknown format":         {"ldif", "", "unknown format"},
		"a broker without keys":     {FormatKafkaConfigs, string(configs), "kafka-metadata-dump"},
		"a config cut short":        {FormatKafkaConfigs, "Configs for user-principal 'a' are SCRAM-SHA-256=salt=AAAA,stored_key=AA", "line 1"},
		"a config of nobody":        {FormatKafkaConfigs, "salt=AAAA,stored_key=AAAA", "line 1"},
		"a record cut short":        {FormatKafkaDump, `| payload: {"type":"USER_SCRAM_CREDENTIAL_RECORD","ver`, "line 1"},
		"a record of SCRAM-SHA-1":   {FormatKafkaDump, `| payload: {"type":"USER_SCRAM_CREDENTIAL_RECORD","data":{"name":"a","mechanism":0}}`, "mechanism number 0"},
		"a record with a bad salt":  {FormatKafkaDump, `| payload: {"type":"USER_SCRAM_CREDENTIAL_RECORD","data":{"name":"a","mechanism":1,"salt":"x","storedKey":"","serverKey":"","iterations":4096}}`, "salt"},
		"a verifier without a role": {FormatPostgreSQL, verifier, "line 1"},
		"a role twice":              {FormatPostgreSQL, "a|" + verifier + "\na|" + verifier, "line 2"},
		"a verifier cut short":      {FormatPostgreSQL, "a|" + verifier[:100], "line 1"},
		"three columns":             {FormatPostgreSQL, "10,a," + verifier, "line 1"},
		"a password":                {FormatPostgreSQL, "alice|hunter2", "line 1"},
		"few iterations":            {FormatPostgreSQL, "a|" + strings.Replace(verifier, "4096", "1000", 1), "1000 iterations"},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := Import(c.format, strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) || i != nil {
				t.Fatalf("%+v, %v", i, err)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "OJx3") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestImportPassesOverLongLines(t *testing.T) {
	text := "| payload: " + strings.Repeat("x", 3*maxImportLine) + "\n" +
		`| payload: {"type":"USER_SCRAM_CREDENTIAL_RECORD","version":0,"data":{"name":"admin","mechanism":1,` +
		`"salt":"amdubzdqa3J3bG9qMmp1NThhbXA1aXpzMw==","storedKey":"QbMTs51XcZ+FDLTVMxJAdB3h27ai5kbgdJcmsuOAXsU=",` +
		`"serverKey":"mekj8EGmu1aKRlcfQ8XlALdODmtuP7itKe6Nla6WEKw=","iterations":4096}}`
	i, err := Import(FormatKafkaDump, strings.NewReader(text))
	must(t, err)
	if len(i.Users) != 1 {
		t.Errorf("%d users", len(i.Users))
	}
}

func TestMergeLeavesOrReplacesUsers(t *testing.T) {
	i := importFile(t, FormatPostgreSQL, "postgresql-psql.txt")
	f := &File{}
	must(t, f.AddUser("alice", "own", 0, Grant{Scopes: []string{"read"}}))
	existing, err := f.Merge(i.Users, false, Grant{Scopes: []string{"imported"}})
	must(t, err)
	if !slices.Equal(existing, []string{"alice"}) {
		t.Errorf("%q", existing)
	}
	before := wantLogin(t, storeOf(t, f), sasl.Plain, "alice", "own", "")
	_, err = f.Merge(i.Users, true, Grant{})
	must(t, err)
	s := storeOf(t, f)
	if p := wantLogin(t, s, sasl.Plain, "alice", "alice-secret", ""); len(p.Scopes) != 1 || p.Scopes[0] != "read" {
		t.Errorf("scopes %q", p.Scopes)
	}
	if s.Check(before) == nil {
		t.Error("a session of the replaced password goes on")
	}
	must(t, f.Revoke("alice"))
	if _, err := f.Merge(i.Users, false, Grant{}); err == nil {
		t.Error("an import brought a revoked user back")
	}
	_, err = f.Merge(i.Users, true, Grant{})
	must(t, err)
	wantLogin(t, storeOf(t, f), sasl.Plain, "alice", "alice-secret", "")
}

func FuzzImport(f *testing.F) {
	files, err := os.ReadDir("testdata/import")
	if err != nil {
		f.Fatal(err)
	}
	formats := []string{FormatPostgreSQL, FormatKafkaConfigs, FormatKafkaDump}
	for _, file := range files {
		data, err := os.ReadFile("testdata/import/" + file.Name())
		if err != nil {
			f.Fatal(err)
		}
		for n := range formats {
			f.Add(n, string(data))
		}
	}
	f.Fuzz(func(t *testing.T, n int, text string) {
		i, err := Import(formats[uint(n)%3], strings.NewReader(text))
		if err != nil {
			return
		}
		file := &File{}
		if _, err := file.Merge(i.Users, false, Grant{}); err != nil {
			t.Fatal(err)
		}
		if _, err := decode("x", encode(file)); err != nil {
			t.Fatal(err)
		}
	})
}
