/** The bridge between pods and this machine, and the NAT rules of pods. */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, succeeds } from './command.ts';
import type { ClusterDescription } from './description.ts';

/** The result cache of the network plugins' library; its directory cannot be configured. */
const PLUGIN_RESULTS = '/var/lib/cni/results';

const BRIDGE_FILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables';

type Rule = readonly [table: string, chain: string, ...match: string[]];

/** Creates the bridge and missing rules. Reports a kernel without address translation, and does not fail. */
export async function makeNetwork(description: ClusterDescription, report: (message: string) => void): Promise<void> {
  const { name, nodeAddress } = description;
  if (!(await succeeds('ip', ['link', 'show', name]))) await run('ip', ['link', 'add', name, 'type', 'bridge']);
  await run('ip', ['addr', 'replace', `${nodeAddress}/16`, 'dev', name]);
  await run('ip', ['link', 'set', name, 'up']);
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1\n');
  bridgeThroughFilter(report);
  for (const [table, ...rule] of rulesOf(description)) {
    if (await succeeds('iptables', ['--wait', '-t', table, '-C', ...rule])) continue;
    if (await succeeds('iptables', ['--wait', '-t', table, '-I', ...rule])) continue;
    report(`iptables refused a rule, so pods cannot connect out: -t ${table} ${rule.join(' ')}`);
  }
}

/** Removes the bridge, the rules and the plugins' records. */
export async function removeNetwork(description: ClusterDescription): Promise<void> {
  for (const [table, ...rule] of rulesOf(description))
    await succeeds('iptables', ['--wait', '-t', table, '-D', ...rule]);
  await removeChains(description);
  await removeServices(description);
  await succeeds('ip', ['link', 'delete', description.name]);
  if (!existsSync(PLUGIN_RESULTS)) return;
  for (const file of readdirSync(PLUGIN_RESULTS)) {
    if (file.startsWith(`${description.name}-`)) rmSync(join(PLUGIN_RESULTS, file), { force: true });
  }
}

/** Enables packet filtering between pods of one bridge (br_netfilter), which the kernel does not do by default. */
function bridgeThroughFilter(report: (message: string) => void): void {
  try {
    writeFileSync(BRIDGE_FILTER, '1\n');
  } catch {
    report('This kernel has no br_netfilter: network policies are not enforced between pods');
  }
}

/** The chains of network policies; deploy/local-cluster/go/packet_filter.go names them. */
async function removeChains({ name }: ClusterDescription): Promise<void> {
  const jump = ['-j', `${name}-policies`];
  await succeeds('iptables', ['--wait', '-D', 'FORWARD', ...jump]);
  await succeeds('iptables', ['--wait', '-D', 'INPUT', '-i', name, ...jump]);
  const rules = (await run('iptables', ['--wait', '-S'])).split('\n');
  const chains = rules.filter((rule) => rule.startsWith(`-N ${name}-`)).map((rule) => rule.slice('-N '.length));
  for (const chain of chains) await succeeds('iptables', ['--wait', '-F', chain]);
  for (const chain of chains) await succeeds('iptables', ['--wait', '-X', chain]);
}

/** The chain of Services; deploy/local-cluster/go/services.go names it. */
async function removeServices({ name, podSubnet }: ClusterDescription): Promise<void> {
  const nat = ['--wait', '-t', 'nat'];
  const chain = `${name}-services`;
  const translated = ['-s', podSubnet, '-d', podSubnet, '-m', 'conntrack', '--ctstate', 'DNAT', '-j', 'MASQUERADE'];
  for (const hook of ['PREROUTING', 'OUTPUT']) await succeeds('iptables', [...nat, '-D', hook, '-j', chain]);
  await succeeds('iptables', [...nat, '-D', 'POSTROUTING', ...translated]);
  await succeeds('iptables', [...nat, '-F', chain]);
  await succeeds('iptables', [...nat, '-X', chain]);
}

/**
 * Rules: pods' packets are masqueraded; forwarding is accepted, also if the machine drops it by default; and the Service
 * `kubernetes` is routed to the API server, also without the proxy of Services.
 */
function rulesOf({ name, podSubnet, nodeAddress, serviceAddress, ports }: ClusterDescription): Rule[] {
  const toService = ['-d', `${serviceAddress}/32`, '-p', 'tcp', '--dport', '443'];
  const toApiserver = ['-j', 'DNAT', '--to-destination', `${nodeAddress}:${ports.apiserver}`];
  return [
    ['nat', 'POSTROUTING', '-s', podSubnet, '!', '-d', podSubnet, '-j', 'MASQUERADE'],
    ['nat', 'PREROUTING', ...toService, ...toApiserver],
    ['nat', 'OUTPUT', ...toService, ...toApiserver],
    ['filter', 'FORWARD', '-i', name, '-j', 'ACCEPT'],
    ['filter', 'FORWARD', '-o', name, '-j', 'ACCEPT'],
  ];
}
