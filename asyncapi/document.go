package asyncapi

// Document is what an AsyncAPI document says, payloads aside.
type Document struct {
	File    string // as it was given to Read
	Version string // as the document writes it, e.g. "3.0.0"
	Major   int
	Minor   int
	Title   string // info.title

	// Files are those that references named, also such that could not be read, by the names that Files gave them.
	Files []string

	// All are in the order of the document.
	Info       Info
	Servers    []Server
	Channels   []Channel
	Operations []Operation
	Schemes    []SecurityScheme // those under components
	Components Components

	reader *reader // for Validate
	schema *schema // what Validate used, so that it is there for the next document
	root   value
	files  map[string]*file // that were read, by their names
}

// Server is an entry of the document's servers.
type Server struct {
	Place      // of the entry, which may be a reference
	Name       string
	Definition Place // of the object that describes it: Place, or where the reference leads

	Host            Text // 3.x
	Pathname        Text // 3.x
	URL             Text // 2.x: an address with or without a URL scheme
	Protocol        Text
	ProtocolVersion Text
	Variables       []Variable
	Tags            []Tag
	Bindings        []Binding
	Kafka           *KafkaServer
	MQTT            *MQTTServer
	Security        *Security // nil: the document states none

	// Problems are those of Read that concern this server. Some may concern others as well.
	Problems []Problem
}

// Address is the host of a 3.x document or the URL of a 2.x one, variables and all.
func (s *Server) Address() Text {
	if s.Host.Stated() {
		return s.Host
	}
	return s.URL
}

// Variable is a {variable} of a server's address.
type Variable struct {
	Place
	Name    string
	Enum    []Text
	Default Text
}

// Security is the list of ways in that a server states: one of them suffices. An empty list is stated all the same.
type Security struct {
	Place
	Requirements []Requirement
}

// Requirement is one item of a security list: all its schemes are needed. A 3.x item has one scheme; a 2.x item may
// name several, or none.
type Requirement struct {
	Place
	Schemes []SchemeUse
	Broken  bool // some of it could not be read; a problem says what. It must not be taken for weaker than it was meant
}

// SchemeUse is a scheme where a requirement asks for it.
type SchemeUse struct {
	Place  // in the requirement
	Scheme *SecurityScheme
	Scopes []Text // all of them are needed; from the requirement in 2.x, from the scheme in 3.x
}

// SecurityScheme is one way of proving who you are.
type SecurityScheme struct {
	Place
	Key  string // under components/securitySchemes; empty for a scheme written elsewhere
	Type Text

	In               Text // apiKey: user or password; httpApiKey: query, header or cookie
	Name             Text // httpApiKey: of the header, query parameter or cookie
	HTTPScheme       Text // http: basic, bearer, … ("scheme" in the document)
	BearerFormat     Text // http with scheme bearer
	OpenIDConnectURL Text
	Flows            []Flow // oauth2
	Scopes           []Text // 3.x, oauth2 and openIdConnect: those that are needed
}

// Flow is an OAuth 2.0 flow.
type Flow struct {
	Place
	Name             string // implicit, password, clientCredentials or authorizationCode
	AuthorizationURL Text
	TokenURL         Text
	RefreshURL       Text
	Scopes           []Text // names of the scopes there are
}
