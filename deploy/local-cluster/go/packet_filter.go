package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// packetFilter holds the chains that were written last.
type packetFilter struct {
	name    string
	written string
}

// apply replaces all chains of this cluster at once.
func (f *packetFilter) apply(chains map[string][]string) error {
	text := table(chains, nil)
	if text == f.written {
		return nil
	}
	stale, err := f.staleChains(chains)
	if err != nil {
		return err
	}
	if _, err := iptables("iptables-restore", table(chains, stale), "--wait", "--noflush"); err != nil {
		return err
	}
	if f.written == "" {
		f.hook("FORWARD")
		f.hook("INPUT", "-i", f.name)
	}
	f.written = text
	return nil
}

// hook sends packets through the chains before any other rule.
func (f *packetFilter) hook(chain string, match ...string) {
	jump := append(match, "-j", chainName(f.name, "policies"))
	_, _ = iptables("iptables", "", append([]string{"--wait", "-D", chain}, jump...)...)
	_, err := iptables("iptables", "", append([]string{"--wait", "-I", chain}, jump...)...)
	must(err)
}

func (f *packetFilter) staleChains(chains map[string][]string) (stale []string, err error) {
	rules, err := iptables("iptables", "", "--wait", "-S")
	for line := range strings.Lines(rules) {
		chain, found := strings.CutPrefix(strings.TrimSpace(line), "-N ")
		if _, wanted := chains[chain]; found && !wanted && strings.HasPrefix(chain, f.name+"-") {
			stale = append(stale, chain)
		}
	}
	return stale, err
}

func table(chains map[string][]string, stale []string) string {
	var text strings.Builder
	names := slices.Clone(stale)
	for name := range chains {
		names = append(names, name)
	}
	slices.Sort(names)
	text.WriteString("*filter\n")
	for _, name := range names {
		fmt.Fprintf(&text, ":%s - [0:0]\n", name)
	}
	for _, name := range names {
		for _, rule := range chains[name] {
			fmt.Fprintf(&text, "-A %s %s\n", name, rule)
		}
	}
	for _, name := range stale {
		fmt.Fprintf(&text, "-X %s\n", name)
	}
	text.WriteString("COMMIT\n")
	return text.String()
}

func chainName(cluster, of string) string {
	if of == "policies" {
		return cluster + "-policies"
	}
	return fmt.Sprintf("%s-%x", cluster, sha256.Sum256([]byte(of)))[:len(cluster)+17]
}

func iptables(program, input string, args ...string) (string, error) {
	command := exec.Command(program, args...)
	command.Stdin = strings.NewReader(input)
	var printed, words bytes.Buffer
	command.Stdout, command.Stderr = &printed, &words
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, words.String())
	}
	return printed.String(), nil
}

func removed(file string) error {
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
