package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// relay LISTEN TARGET: carries connections from one address to another, each a host:port or the path of a UNIX socket.
// A UNIX socket is the same file in every network namespace, so two relays reach from the host's loopback into a node's.
func relay() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: kube relay LISTEN TARGET"))
	}
	listener, err := net.Listen(network(os.Args[1]), os.Args[1])
	if err != nil {
		fail(err)
	}
	fmt.Println(listener.Addr()) // the port, where 0 was asked for
	for {
		from, err := listener.Accept()
		if err != nil {
			fail(err)
		}
		go carry(from, os.Args[2])
	}
}

func network(address string) string {
	if strings.HasPrefix(address, "/") {
		return "unix"
	}
	return "tcp"
}

func carry(from net.Conn, target string) {
	defer from.Close()
	to, err := net.Dial(network(target), target)
	if err != nil {
		return
	}
	defer to.Close()
	ended := make(chan struct{}, 2)
	go pass(from, to, ended)
	go pass(to, from, ended)
	<-ended
	<-ended
}

// pass hands an end of file on and leaves the other direction open: TLS and port-forwards close one side first.
func pass(from, to net.Conn, ended chan<- struct{}) {
	_, err := io.Copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		from.Close()
		to.Close()
	}
	ended <- struct{}{}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "relay:", err)
	os.Exit(1)
}
