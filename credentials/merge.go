package credentials

import (
	"fmt"
	"time"
)

// Merge adds imported users. Those that exist are left as they are, or get the imported verifiers if replace is set;
// their names are returned.
func (f *File) Merge(users []ImportedUser, replace bool, g Grant) (existing []string, err error) {
	at := make(map[string]int, len(f.Users)) // newEntry would look through all users for each
	for i, u := range f.Users {
		at[u.Name] = i
	}
	now := time.Now()
	for _, u := range users {
		i, known := at[u.Name]
		switch {
		case !known:
			at[u.Name] = len(f.Users)
			f.Users = append(f.Users, &User{Entry: Entry{Name: u.Name, Scopes: g.Scopes, Attributes: g.Attributes,
				Expires: g.Expires, Since: after(time.Time{}, now)}, Verifiers: u.Verifiers})
			continue
		case !f.Users[i].Revoked.IsZero() && !replace:
			return nil, fmt.Errorf("%q was revoked here: an import brings nobody back unless it is told to replace", u.Name)
		}
		existing = append(existing, u.Name)
		if replace {
			old := f.Users[i]
			old.Since = after(later(old.Since, old.Revoked), now)
			old.Revoked, old.Verifiers, old.Previous = time.Time{}, u.Verifiers, nil
		}
	}
	return existing, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
