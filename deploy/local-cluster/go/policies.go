package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	settle = 20 * time.Millisecond
	again  = time.Second
)

// cluster is a snapshot of the objects that policies depend on.
type cluster struct {
	pods       []*core.Pod
	namespaces map[string]labels.Set
	policies   []*networking.NetworkPolicy
}

// enforcePolicies updates the machine's packet filter from the cluster's network policies. IPv4, one node.
func enforcePolicies() {
	flags := flag.NewFlagSet("network-policies", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "how to reach the API server")
	name := flags.String("name", "", "the bridge; also the beginning of every chain")
	ready := flags.String("ready-file", "", "written when the policies are in force")
	socket := flags.String("socket", "", "where pods that begin are announced")
	must(flags.Parse(os.Args[1:]))
	must(removed(*ready))

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	must(err)
	client, err := kubernetes.NewForConfig(config)
	must(err)
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	changed := make(chan struct{}, 1)
	notify := func(any) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	handler := cache.ResourceEventHandlerFuncs{
		AddFunc: notify, DeleteFunc: notify, UpdateFunc: func(_, now any) { notify(now) },
	}
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		_, err := informer.AddEventHandler(handler)
		must(err)
	}
	factory.Start(context.Background().Done())
	factory.WaitForCacheSync(context.Background().Done())

	starting := &startingPods{pods: map[types.UID]*startingPod{}}
	go starting.listen(*socket, func() { notify(nil) })
	filter := &packetFilter{name: *name}
	for notify(nil); ; {
		<-changed
		time.Sleep(settle)
		now := cluster{namespaces: map[string]labels.Set{}}
		listed, err := pods.Lister().List(labels.Everything())
		must(err)
		now.pods = starting.addressed(listed)
		now.policies, err = policies.Lister().List(labels.Everything())
		must(err)
		all, err := namespaces.Lister().List(labels.Everything())
		must(err)
		for _, namespace := range all {
			now.namespaces[namespace.Name] = namespace.Labels
		}
		if err := filter.apply(now.chains(*name)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			time.AfterFunc(again, func() { notify(nil) })
			continue
		}
		starting.release(listed)
		must(os.WriteFile(*ready, nil, 0o600))
	}
}

// chains returns the rules of each chain: one chain for all pods, and one for each isolated pod and direction.
func (c cluster) chains(name string) map[string][]string {
	main := chainName(name, "policies")
	chains := map[string][]string{main: {"-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"}}
	for _, pod := range c.pods {
		if !hasAddress(pod) {
			continue
		}
		for _, way := range []networking.PolicyType{networking.PolicyTypeEgress, networking.PolicyTypeIngress} {
			rules, isolated := c.rules(pod, way)
			if !isolated {
				continue
			}
			chain := chainName(name, string(pod.UID)+string(way))
			own, _ := sides(way)
			chains[main] = append(chains[main], fmt.Sprintf("%s %s -j %s", own, pod.Status.PodIP, chain))
			chains[chain] = append(rules, "-j REJECT")
		}
	}
	slices.Sort(chains[main][1:])
	return chains
}

// rules returns the rules that accept what any policy of the pod allows in one direction, and whether there is such a policy.
func (c cluster) rules(pod *core.Pod, way networking.PolicyType) (rules []string, isolated bool) {
	for _, policy := range c.policies {
		if policy.Namespace != pod.Namespace || !slices.Contains(policy.Spec.PolicyTypes, way) {
			continue
		}
		if !selects(&policy.Spec.PodSelector, pod.Labels) {
			continue
		}
		isolated = true
		if way == networking.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				rules = append(rules, c.allow(pod, way, policy.Namespace, rule.From, rule.Ports)...)
			}
		} else {
			for _, rule := range policy.Spec.Egress {
				rules = append(rules, c.allow(pod, way, policy.Namespace, rule.To, rule.Ports)...)
			}
		}
	}
	slices.Sort(rules)
	return slices.Compact(rules), isolated
}

// allow writes one rule of a policy: every peer with every port.
func (c cluster) allow(pod *core.Pod, way networking.PolicyType, namespace string,
	peers []networking.NetworkPolicyPeer, ports []networking.NetworkPolicyPort) (rules []string) {
	_, other := sides(way)
	write := func(address string, destination *core.Pod) {
		for _, match := range portMatches(ports, destination) {
			rules = append(rules, strings.Join(strings.Fields(other+" "+address+" "+match+" -j RETURN"), " "))
		}
	}
	// A named port is a port of the destination pod.
	destination := func(peer *core.Pod) *core.Pod {
		if way == networking.PolicyTypeIngress {
			return pod
		}
		return peer
	}
	if len(peers) == 0 {
		write("0.0.0.0/0", destination(nil))
	}
	for _, peer := range peers {
		if peer.IPBlock != nil {
			for _, prefix := range without(peer.IPBlock.CIDR, peer.IPBlock.Except) {
				write(prefix.String(), destination(nil))
				if way == networking.PolicyTypeEgress {
					rules = append(rules, asAddressed(prefix, ports)...)
				}
			}
			continue
		}
		for _, candidate := range c.pods {
			if hasAddress(candidate) && c.isPeer(peer, candidate, namespace) {
				write(candidate.Status.PodIP, destination(candidate))
			}
		}
	}
	return rules
}

// asAddressed accepts packets by their destination before address translation, since a block may contain a Service.
func asAddressed(block netip.Prefix, ports []networking.NetworkPolicyPort) (rules []string) {
	for _, match := range portMatches(ports, nil) {
		match = strings.Replace(match, "--dport", "-m conntrack --ctorigdstport", 1)
		rules = append(rules, strings.Join(strings.Fields(
			match+" -m conntrack --ctstate DNAT --ctorigdst "+block.String()+" -j RETURN"), " "))
	}
	return rules
}

func (c cluster) isPeer(peer networking.NetworkPolicyPeer, pod *core.Pod, namespace string) bool {
	if peer.NamespaceSelector == nil && pod.Namespace != namespace {
		return false
	}
	if peer.NamespaceSelector != nil && !selects(peer.NamespaceSelector, c.namespaces[pod.Namespace]) {
		return false
	}
	return peer.PodSelector == nil || selects(peer.PodSelector, pod.Labels)
}

func selects(selector *meta.LabelSelector, of labels.Set) bool {
	parsed, err := meta.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(of)
}

func hasAddress(pod *core.Pod) bool {
	over := pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
	return !over && !pod.Spec.HostNetwork && pod.Status.PodIP != ""
}

// sides returns the matches of a rule for the pod itself and for its peer.
func sides(way networking.PolicyType) (own, other string) {
	if way == networking.PolicyTypeEgress {
		return "-s", "-d"
	}
	return "-d", "-s"
}

func portMatches(ports []networking.NetworkPolicyPort, destination *core.Pod) []string {
	if len(ports) == 0 {
		return []string{""}
	}
	var matches []string
	for _, port := range ports {
		protocol := core.ProtocolTCP
		if port.Protocol != nil {
			protocol = *port.Protocol
		}
		match := "-p " + strings.ToLower(string(protocol))
		switch {
		case port.Port == nil:
			matches = append(matches, match)
		case port.Port.Type == intstr.String:
			for _, number := range namedPorts(destination, port.Port.StrVal, protocol) {
				matches = append(matches, fmt.Sprintf("%s --dport %d", match, number))
			}
		case port.EndPort != nil:
			matches = append(matches, fmt.Sprintf("%s --dport %d:%d", match, port.Port.IntVal, *port.EndPort))
		default:
			matches = append(matches, fmt.Sprintf("%s --dport %d", match, port.Port.IntVal))
		}
	}
	return matches
}

func namedPorts(pod *core.Pod, name string, protocol core.Protocol) (numbers []int32) {
	if pod == nil {
		return nil
	}
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name && port.Protocol == protocol {
				numbers = append(numbers, port.ContainerPort)
			}
		}
	}
	return numbers
}

// without returns the parts of a block that are in none of the others.
func without(block string, except []string) []netip.Prefix {
	whole, err := netip.ParsePrefix(block)
	if err != nil || !whole.Addr().Is4() {
		return nil
	}
	parts := []netip.Prefix{whole.Masked()}
	for _, text := range except {
		if hole, err := netip.ParsePrefix(text); err == nil {
			var left []netip.Prefix
			for _, part := range parts {
				left = append(left, cut(part, hole.Masked())...)
			}
			parts = left
		}
	}
	return parts
}

func cut(part, hole netip.Prefix) []netip.Prefix {
	if !part.Overlaps(hole) {
		return []netip.Prefix{part}
	}
	if hole.Bits() <= part.Bits() {
		return nil
	}
	bytes := part.Addr().As4()
	low := netip.PrefixFrom(part.Addr(), part.Bits()+1)
	bytes[part.Bits()/8] |= 1 << (7 - part.Bits()%8)
	high := netip.PrefixFrom(netip.AddrFrom4(bytes), part.Bits()+1)
	return append(cut(low, hole), cut(high, hole)...)
}
