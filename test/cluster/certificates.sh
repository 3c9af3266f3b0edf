#!/usr/bin/env bash
# certificates.sh FOLDER: an authority, the certificates of API server and kubelets, the key of service accounts, tokens, and a kubeconfig for each program.
set -eu
mkdir "$1"
cd "$1"
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)

# sign NAME SUBJECT [SUBJECT_ALTERNATIVE_NAMES]
sign() {
  openssl req -new "${key[@]}" -keyout "$1.key" -subj "$2" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA authority.crt -CAkey authority.key -CAcreateserial -days 30 -out "$1.crt" \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s\n' "${3:+subjectAltName=$3}")
  rm "$1.csr"
}

# kubeconfig NAME TOKEN HOST
kubeconfig() {
  cat >"$1.kubeconfig" <<END
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "https://$3:6443", certificate-authority: $PWD/authority.crt}}]
users: [{name: $1, user: {token: $2}}]
contexts: [{name: test, context: {cluster: test, user: $1}}]
current-context: test
END
}

openssl req -x509 "${key[@]}" -keyout authority.key -subj /CN=loadctl-kube -days 30 -out authority.crt
sign apiserver /CN=kube-apiserver IP:127.0.0.1,IP:198.18.0.1,IP:198.19.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
sign apiserver-kubelet /O=system:masters/CN=apiserver-kubelet
openssl genrsa -out accounts.key 2048
openssl rsa -in accounts.key -pubout -out accounts.pub
for n in 1 2 3; do
  sign "kubelet-n$n" "/O=system:nodes/CN=system:node:n$n" "IP:198.18.0.$n,IP:127.0.0.1"
  kubeconfig "n$n" "token-n$n" 198.18.0.1
done
kubeconfig admin token-admin 127.0.0.1
kubeconfig proxy token-proxy 198.18.0.1
cat >tokens.csv <<END
token-admin,admin,admin,system:masters
token-proxy,system:kube-proxy,kube-proxy
token-n1,system:node:n1,n1,system:nodes
token-n2,system:node:n2,n2,system:nodes
token-n3,system:node:n3,n3,system:nodes
END
