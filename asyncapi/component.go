package asyncapi

// Info says what a document is about.
type Info struct {
	Place
	Title       Text
	Version     Text
	Description Text
	Tags        []Tag    // 3.x; those of a 2.x document
	Fields      []string // names of all its members, in 2.x also of those that 3.x moved there: tags and externalDocs
}

// Tag is a word that somebody gave a part of a document.
type Tag struct {
	Place
	Name Text
}

// Components are the parts that a document keeps for reference. Security schemes are Document.Schemes.
type Components struct {
	Place
	Servers    []Server
	Channels   []Channel
	Operations []Operation
	Messages   []*Message
	Parameters []Parameter
	Others     []Component // everything else, in the order of the document
}

// Component is a part of which only the name is read: schemas, traits, bindings, replies, tags and the like.
type Component struct {
	Place
	Kind string // schemas, operationTraits, …
	Name string
}

func (r *reader) info() Info {
	v, ok := r.object(r.get(r.root, "info"), "info")
	if !ok {
		return Info{}
	}
	info := Info{
		Place: v.at, Title: r.text(r.get(v, "title")), Version: r.text(r.get(v, "version")), Description: r.text(r.get(v, "description")),
	}
	for _, f := range r.fields(v) {
		info.Fields = append(info.Fields, f.key)
	}
	if r.major > 2 {
		info.Tags = r.tags(r.get(v, "tags"))
		return info
	}
	for _, name := range []string{"tags", "externalDocs"} {
		if r.get(r.root, name).there() {
			info.Fields = append(info.Fields, name)
		}
	}
	info.Tags = r.tags(r.get(r.root, "tags"))
	return info
}

func (r *reader) tags(v value) []Tag {
	if v.there() && !v.isList() {
		r.fault("document/wrong-type", v.at, "", "tags has to be a list, not %s", v.kind())
	}
	var list []Tag
	for _, item := range r.items(v) {
		if tag, ok := r.object(item, "a tag"); ok {
			list = append(list, Tag{Place: tag.at, Name: r.text(r.get(tag, "name"))})
		}
	}
	return list
}

func (r *reader) components(channels []Channel) Components {
	v, ok := r.object(r.get(r.root, "components"), "components")
	if !ok {
		return Components{}
	}
	c := Components{Place: v.at}
	for _, f := range r.fields(v) {
		switch f.key {
		case "securitySchemes":
		case "servers":
			c.Servers = r.componentServers(f.value)
		case "channels":
			c.Channels = r.channels(f.value, false)
		case "operations":
			c.Operations = r.operationMap(f.value, channels, false)
		case "messages":
			c.Messages = r.messageMap(f.value)
		case "parameters":
			c.Parameters = r.parameters(f.value)
		default:
			if extension(f.key) {
				continue
			}
			all, _ := r.object(f.value, last(f.at.Pointer))
			for _, one := range r.fields(all) {
				c.Others = append(c.Others, Component{Place: one.keyAt, Kind: f.key, Name: one.key})
			}
		}
	}
	return c
}
