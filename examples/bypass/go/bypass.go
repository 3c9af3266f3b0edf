// Package bypass lets the virtual users of a load test through without looking them up, if whoever made their id holds
// the environment's key. The prefix of such an id can be guessed by anybody, so it alone lets nobody in.
package bypass

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// IDHeader says who calls.
	IDHeader = "X-User-Id"
	// SignatureHeader proves that a virtual user's id was made by somebody who holds the environment's key.
	SignatureHeader = "X-Load-Test-Signature"
	// VirtualUserPrefix is what every virtual user's id begins with.
	VirtualUserPrefix = "load-test-user-"
	// DefaultMaxTTL is how far ahead an expiry may lie: a leaked signature dies within a day.
	DefaultMaxTTL = 24 * time.Hour
	// MinimumKeyBytes is the least length of a key; fewer bytes could be found by trying.
	MinimumKeyBytes = 32
)

// Why a caller was not let through; for logs, never for the caller.
var (
	ErrNotAVirtualUser = errors.New("not-a-virtual-user")
	ErrNoSignature     = errors.New("no-signature")
	ErrMalformed       = errors.New("malformed")
	ErrUnknownVersion  = errors.New("unknown-version")
	ErrWrongSignature  = errors.New("wrong-signature")
	ErrExpired         = errors.New("expired")
	ErrTooFarAhead     = errors.New("too-far-ahead")
)

// A closed set of characters: no id can hold the line break that separates the parts of the signed text.
var (
	virtualUserID = regexp.MustCompile(`\Aload-test-user-[A-Za-z0-9_.-]{1,128}\z`)
	anySignature  = regexp.MustCompile(`\Av[0-9]+\.`)
	signature     = regexp.MustCompile(`\Av1\.([1-9][0-9]{0,11})\.([0-9a-f]{64})\z`)
)

// Verifier checks signatures made with one environment's key. Make it with New.
type Verifier struct {
	key    []byte
	maxTTL time.Duration
}

// New makes a Verifier. It refuses a key shorter than MinimumKeyBytes; a maxTTL of 0 means DefaultMaxTTL.
func New(key string, maxTTL time.Duration) (*Verifier, error) {
	if len(key) < MinimumKeyBytes {
		return nil, fmt.Errorf("the bypass key has %d bytes; it needs %d or more: openssl rand -hex 32", len(key), MinimumKeyBytes)
	}
	if maxTTL == 0 {
		maxTTL = DefaultMaxTTL
	}
	return &Verifier{key: []byte(key), maxTTL: maxTTL}, nil
}

// IsVirtualUser tells whether id is one that only a load test may use.
func IsVirtualUser(id string) bool {
	return strings.HasPrefix(id, VirtualUserPrefix)
}

// Verify returns nil if the virtual user may pass without being looked up:
// v1.<expiry>.<hex HMAC-SHA256 of "v1\n<id>\n<expiry>">.
func (v *Verifier) Verify(id, header string, now time.Time) error {
	if !virtualUserID.MatchString(id) {
		return ErrNotAVirtualUser
	}
	if header == "" {
		return ErrNoSignature
	}
	parts := signature.FindStringSubmatch(header)
	if parts == nil {
		if anySignature.MatchString(header) && !strings.HasPrefix(header, "v1.") {
			return ErrUnknownVersion
		}
		return ErrMalformed
	}
	given, err := hex.DecodeString(parts[2])
	if err != nil {
		return ErrMalformed
	}
	if !hmac.Equal(v.digest(id, parts[1]), given) {
		return ErrWrongSignature
	}
	expiry, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return ErrMalformed
	}
	return v.checkExpiry(time.Unix(expiry, 0), now)
}

// Sign makes the header's value for id until expires.
func (v *Verifier) Sign(id string, expires time.Time) string {
	expiry := strconv.FormatInt(expires.Unix(), 10)
	return "v1." + expiry + "." + hex.EncodeToString(v.digest(id, expiry))
}

func (v *Verifier) checkExpiry(expiry, now time.Time) error {
	if !expiry.After(now) {
		return ErrExpired
	}
	if expiry.After(now.Add(v.maxTTL)) {
		return ErrTooFarAhead
	}
	return nil
}

func (v *Verifier) digest(id, expiry string) []byte {
	mac := hmac.New(sha256.New, v.key)
	mac.Write([]byte("v1\n" + id + "\n" + expiry))
	return mac.Sum(nil)
}
