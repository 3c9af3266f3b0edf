package bypass

import (
	"context"
	"net/http"
	"strings"
	"time"
)

type passed struct{}

// Passed returns the virtual user's id that Middleware let through: what comes after it must not look that user up.
func Passed(r *http.Request) (id string, ok bool) {
	id, ok = r.Context().Value(passed{}).(string)
	return id, ok
}

// Middleware lets a virtual user pass with a valid signature and answers 401 to one without; everybody else goes on to
// next untouched. With a nil Verifier every virtual user is refused: the right setting where no load test runs.
func Middleware(verifier *Verifier, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := single(r, IDHeader)
		if !IsVirtualUser(id) {
			next.ServeHTTP(w, r)
			return
		}
		if verifier == nil || verifier.Verify(id, single(r, SignatureHeader), time.Now()) != nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"error":"unauthorized"}`))
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), passed{}, id)))
	})
}

// A header that was sent twice is joined: no id and no signature holds a comma, so it fits neither.
func single(r *http.Request, name string) string {
	return strings.Join(r.Header.Values(name), ", ")
}
