package api

import "github.com/asyncgate/asyncgate/proxy/kafka/wire"

// reshaper copies a checked body, and leaves elements of its arrays out, replaces them or adds others on the way. What it
// does not touch, tagged fields of the future included, is copied as it came.
type reshaper struct {
	body []byte
	out  []byte

	touch func(path string) bool                               // the arrays that are edited, or hold one that is
	drop  func(f *wire.Field, it, parent item) bool            // nil: none
	swap  func(f *wire.Field, it item) (instead []byte)        // nil, or returns nil: the element stays
	add   func(f *wire.Field, parent item) (n int, all []byte) // nil: none
}

// reshape appends the body of that structure, which begins at from and goes on to the end.
func (r *reshaper) reshape(out []byte, s *wire.Struct, from int) []byte {
	r.out = out
	r.structure(s, item{body: r.body, s: s, from: from}, len(r.body))
	return r.out
}

func (r *reshaper) structure(s *wire.Struct, it item, end int) {
	copied, off := it.from, it.from
	for i := range s.Fields {
		f := &s.Fields[i]
		to := f.End(r.body, off)
		if f.Kind == wire.Array && r.touch(f.Path) {
			r.out = append(r.out, r.body[copied:off]...)
			r.array(f, it, off)
			copied = to
		}
		off = to
	}
	r.out = append(r.out, r.body[copied:end]...)
}

func (r *reshaper) array(f *wire.Field, parent item, off int) {
	n, size := wire.Count(r.body[off:], f.Flexible())
	added, more := 0, []byte(nil)
	if r.add != nil {
		added, more = r.add(f, parent)
	}
	if n < 0 && added == 0 {
		r.out = append(r.out, r.body[off:off+size]...)
		return
	}
	off += size
	start, kept := off, make([]bool, max(n, 0))
	count := added
	for i := range kept {
		kept[i] = r.drop == nil || !r.drop(f, r.element(f, off), parent)
		if kept[i] {
			count++
		}
		off = f.Elem.End(r.body, off)
	}
	r.out = wire.AppendCount(r.out, f.Flexible(), count)
	off = start
	for _, keep := range kept {
		end := f.Elem.End(r.body, off)
		if keep {
			r.one(f, r.element(f, off), end)
		}
		off = end
	}
	r.out = append(r.out, more...)
}

func (r *reshaper) element(f *wire.Field, off int) item {
	return item{body: r.body, s: f.Elem.Struct, elem: f.Elem, from: off}
}

func (r *reshaper) one(f *wire.Field, it item, end int) {
	if r.swap != nil {
		if instead := r.swap(f, it); instead != nil {
			r.out = append(r.out, instead...)
			return
		}
	}
	if it.s == nil {
		r.out = append(r.out, r.body[it.from:end]...)
		return
	}
	r.structure(it.s, it, end)
}
