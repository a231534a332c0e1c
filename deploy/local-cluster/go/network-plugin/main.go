// Command network-plugin is the last network plugin (CNI) of each pod: it sends the pod's address to the enforcement of
// network policies, and lets the pod start once they are in force. Without a response the start fails and is retried.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

// patience is the time for one attempt; the kubelet retries.
const patience = 10 * time.Second

// configuration is containerd's standard input: this plugin's settings, and the results of the plugins before it.
type configuration struct {
	CNIVersion string          `json:"cniVersion"`
	Socket     string          `json:"socket"`
	Previous   json.RawMessage `json:"prevResult"`
}

func main() {
	if os.Getenv("CNI_COMMAND") == "VERSION" {
		fmt.Println(`{"cniVersion":"0.4.0","supportedVersions":["0.3.0","0.3.1","0.4.0"]}`)
		return
	}
	var given configuration
	err := json.NewDecoder(os.Stdin).Decode(&given)
	if err == nil && os.Getenv("CNI_COMMAND") == "ADD" {
		if err = announce(given); err == nil {
			fmt.Println(string(given.Previous))
		}
	}
	if err != nil {
		refusal := map[string]any{"cniVersion": "0.4.0", "code": 11, "msg": "network policies are not in force: " + err.Error()}
		_ = json.NewEncoder(os.Stdout).Encode(refusal)
		os.Exit(1)
	}
}

// announce returns when the policies of the pod are in force.
func announce(given configuration) error {
	var previous struct {
		IPs []struct {
			Address netip.Prefix `json:"address"`
		} `json:"ips"`
	}
	if err := json.Unmarshal(given.Previous, &previous); err != nil || len(previous.IPs) == 0 {
		return fmt.Errorf("the plugins before this one gave the pod no address: %v", err)
	}
	connection, err := net.DialTimeout("unix", given.Socket, patience)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	pod := map[string]string{"uid": argument("K8S_POD_UID"), "address": previous.IPs[0].Address.Addr().String()}
	if err := json.NewEncoder(connection).Encode(pod); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err == nil && string(answer) != "in force\n" {
		err = fmt.Errorf("the answer was %q", answer)
	}
	return err
}

// argument reads one of the runtime's arguments about the pod.
func argument(name string) string {
	for _, pair := range strings.Split(os.Getenv("CNI_ARGS"), ";") {
		if value, found := strings.CutPrefix(pair, name+"="); found {
			return value
		}
	}
	return ""
}
