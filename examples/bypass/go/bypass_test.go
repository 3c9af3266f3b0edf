package bypass

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

type vectors struct {
	Key     string
	Now     int64
	MaxTTL  int64 `json:"maxTtl"`
	Vectors []struct {
		Name   string
		ID     string
		Header string
		Reason string
	}
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	text, err := os.ReadFile("../vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var read vectors
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Vectors) < 10 {
		t.Fatalf("only %d vectors", len(read.Vectors))
	}
	return read
}

func TestVectors(t *testing.T) {
	shared := readVectors(t)
	verifier, err := New(shared.Key, time.Duration(shared.MaxTTL)*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for _, vector := range shared.Vectors {
		t.Run(vector.Name, func(t *testing.T) {
			reason := ""
			if err := verifier.Verify(vector.ID, vector.Header, time.Unix(shared.Now, 0)); err != nil {
				reason = err.Error()
			}
			if reason != vector.Reason {
				t.Errorf("got %q, want %q", reason, vector.Reason)
			}
		})
	}
}

func TestSignMakesTheValidVector(t *testing.T) {
	shared := readVectors(t)
	verifier, _ := New(shared.Key, 0)
	if got := verifier.Sign(shared.Vectors[0].ID, time.Unix(shared.Now+7200, 0)); got != shared.Vectors[0].Header {
		t.Errorf("got %s", got)
	}
}

func TestShortKeyIsRefused(t *testing.T) {
	if _, err := New(strings.Repeat("k", 31), 0); err == nil {
		t.Error("31 bytes were accepted")
	}
	if _, err := New(strings.Repeat("k", 32), 0); err != nil {
		t.Error(err)
	}
}

func TestMiddleware(t *testing.T) {
	const id = VirtualUserPrefix + "r1-a"
	verifier, err := New(strings.Repeat("k", 32), 0)
	if err != nil {
		t.Fatal(err)
	}
	header := verifier.Sign(id, time.Now().Add(time.Hour))
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		passedID, _ := Passed(r)
		_, _ = w.Write([]byte("next " + passedID))
	})
	for _, test := range []struct {
		name     string
		verifier *Verifier
		ids      []string
		headers  []string
		status   int
		body     string
	}{
		{"signed", verifier, []string{id}, []string{header}, 200, "next " + id},
		{"bare prefix", verifier, []string{id}, nil, 401, `{"error":"unauthorized"}`},
		{"signed, no key here", nil, []string{id}, []string{header}, 401, `{"error":"unauthorized"}`},
		{"signature sent twice", verifier, []string{id}, []string{header, header}, 401, `{"error":"unauthorized"}`},
		{"two ids", verifier, []string{id, "user-1"}, []string{header}, 401, `{"error":"unauthorized"}`},
		{"somebody else", verifier, []string{"user-1"}, nil, 200, "next "},
		{"nobody", verifier, nil, nil, 200, "next "},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.Header[IDHeader] = test.ids
			request.Header[SignatureHeader] = test.headers
			recorder := httptest.NewRecorder()
			Middleware(test.verifier, next).ServeHTTP(recorder, request)
			if recorder.Code != test.status || recorder.Body.String() != test.body {
				t.Errorf("got %d %s", recorder.Code, recorder.Body.String())
			}
		})
	}
}
