package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// startingPods are pods whose network was just created: the API server has their addresses only once they run.
type startingPods struct {
	lock sync.Mutex
	pods map[types.UID]*startingPod
}

type startingPod struct {
	address string
	// Closed when the policies of the pod are in force.
	inForce  chan struct{}
	released bool
}

// listen answers the network plugin of each pod when the pod may start.
func (s *startingPods) listen(socket string, notify func()) {
	must(removed(socket))
	listener, err := net.Listen("unix", socket)
	must(err)
	must(os.Chmod(socket, 0o600))
	for {
		connection, err := listener.Accept()
		must(err)
		go s.answer(connection, notify)
	}
}

func (s *startingPods) answer(connection net.Conn, notify func()) {
	defer connection.Close()
	var announced struct {
		UID     types.UID `json:"uid"`
		Address string    `json:"address"`
	}
	if err := json.NewDecoder(connection).Decode(&announced); err != nil || announced.UID == "" {
		fmt.Fprintln(os.Stderr, "a pod without a UID was announced:", err)
		return
	}
	pod := &startingPod{address: announced.Address, inForce: make(chan struct{})}
	s.lock.Lock()
	s.pods[announced.UID] = pod
	s.lock.Unlock()
	notify()
	<-pod.inForce
	fmt.Fprintln(connection, "in force")
}

// addressed adds the announced addresses to the pods.
func (s *startingPods) addressed(pods []*core.Pod) []*core.Pod {
	s.lock.Lock()
	defer s.lock.Unlock()
	all := make([]*core.Pod, len(pods))
	for index, pod := range pods {
		all[index] = pod
		if starting, known := s.pods[pod.UID]; known {
			copied := *pod
			copied.Status.PodIP = starting.address
			all[index] = &copied
		}
	}
	return all
}

// release lets the pods start whose policies are in force, and drops those whose addresses the API server has.
func (s *startingPods) release(inForce []*core.Pod) {
	s.lock.Lock()
	defer s.lock.Unlock()
	listed := map[types.UID]*core.Pod{}
	for _, pod := range inForce {
		listed[pod.UID] = pod
	}
	for uid, starting := range s.pods {
		pod, known := listed[uid]
		if known && !starting.released {
			starting.released = true
			close(starting.inForce)
		}
		if starting.released && (!known || pod.Status.PodIP == starting.address) {
			delete(s.pods, uid)
		}
	}
}
