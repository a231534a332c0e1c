package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// proxyServices routes the addresses of Services to their pods: TCP and UDP over IPv4, one node. kube-proxy has fixed names of
// chains, so two clusters on one machine would remove each other's rules.
func proxyServices() {
	flags := flag.NewFlagSet("services", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "how to reach the API server")
	name := flags.String("name", "", "the bridge; also the beginning of the chain")
	pods := flags.String("pod-subnet", "", "the addresses of pods")
	ready := flags.String("ready-file", "", "written when the rules are in force")
	must(flags.Parse(os.Args[1:]))
	must(removed(*ready))

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	must(err)
	client, err := kubernetes.NewForConfig(config)
	must(err)
	factory := informers.NewSharedInformerFactory(client, 0)
	services, endpointSlices := factory.Core().V1().Services(), factory.Discovery().V1().EndpointSlices()
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
	for _, informer := range []cache.SharedIndexInformer{services.Informer(), endpointSlices.Informer()} {
		_, err := informer.AddEventHandler(handler)
		must(err)
	}
	factory.Start(context.Background().Done())
	factory.WaitForCacheSync(context.Background().Done())

	translation := &addressTranslation{chain: *name + "-services", pods: *pods}
	for notify(nil); ; {
		<-changed
		time.Sleep(settle)
		all, err := services.Lister().List(labels.Everything())
		must(err)
		endpoints, err := endpointSlices.Lister().List(labels.Everything())
		must(err)
		if err := translation.apply(serviceRules(all, endpoints)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			time.AfterFunc(again, func() { notify(nil) })
			continue
		}
		must(os.WriteFile(*ready, nil, 0o600))
	}
}

// serviceRules translates each port of each Service to a random one of its ready pods.
func serviceRules(services []*core.Service, endpoints []*discovery.EndpointSlice) (rules []string) {
	for _, service := range services {
		if service.Spec.ClusterIP == "" || service.Spec.ClusterIP == core.ClusterIPNone {
			continue
		}
		for _, port := range service.Spec.Ports {
			to := readyAddresses(service, port, endpoints)
			for i, address := range to {
				rules = append(rules, fmt.Sprintf(
					"-d %s/32 -p %s --dport %d -m statistic --mode random --probability %.6f -j DNAT --to-destination %s",
					service.Spec.ClusterIP, strings.ToLower(string(port.Protocol)), port.Port, 1/float64(len(to)-i), address))
			}
		}
	}
	// The rules of one port are in order: the probability of each depends on those before it.
	slices.SortStableFunc(rules, func(one, other string) int {
		return strings.Compare(one[:strings.Index(one, " -m ")], other[:strings.Index(other, " -m ")])
	})
	return rules
}

func readyAddresses(service *core.Service, port core.ServicePort, endpoints []*discovery.EndpointSlice) (to []string) {
	for _, slice := range endpoints {
		if slice.Namespace != service.Namespace || slice.Labels[discovery.LabelServiceName] != service.Name {
			continue
		}
		for _, target := range slice.Ports {
			if target.Port == nil || target.Name == nil || *target.Name != port.Name {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
					to = append(to, fmt.Sprintf("%s:%d", endpoint.Addresses[0], *target.Port))
				}
			}
		}
	}
	slices.Sort(to)
	return slices.Compact(to)
}

// addressTranslation holds the rules that were written last.
type addressTranslation struct {
	chain   string
	pods    string
	written string
}

// apply replaces all rules of this cluster at once.
func (t *addressTranslation) apply(rules []string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "*nat\n:%s - [0:0]\n", t.chain)
	for _, rule := range rules {
		fmt.Fprintf(&text, "-A %s %s\n", t.chain, rule)
	}
	text.WriteString("COMMIT\n")
	if text.String() == t.written {
		return nil
	}
	if _, err := iptables("iptables-restore", text.String(), "--wait", "--noflush"); err != nil {
		return err
	}
	if t.written == "" {
		t.hook("PREROUTING", "-j", t.chain)
		t.hook("OUTPUT", "-j", t.chain)
		// Without this, a pod on the same bridge would answer directly, from an address to which no connection was made.
		t.hook("POSTROUTING", "-s", t.pods, "-d", t.pods, "-m", "conntrack", "--ctstate", "DNAT", "-j", "MASQUERADE")
	}
	t.written = text.String()
	return nil
}

func (t *addressTranslation) hook(chain string, rule ...string) {
	_, _ = iptables("iptables", "", append([]string{"--wait", "-t", "nat", "-D", chain}, rule...)...)
	_, err := iptables("iptables", "", append([]string{"--wait", "-t", "nat", "-A", chain}, rule...)...)
	must(err)
}
