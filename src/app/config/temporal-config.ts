/** Settings of the connection to Temporal: what server, worker, doctor and the commands read. */
import { z } from 'zod';
import type { TemporalAccess } from '../../temporal/access.ts';
import { certificate, privateKey, secret } from './schemas.ts';

export const TemporalSettings = z.object({
  CODEXK8S_TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233'),
  CODEXK8S_TEMPORAL_NAMESPACE: z.string().default('codex-k8s'),
  /** `on`: TLS. Everything below needs it. */
  CODEXK8S_TEMPORAL_TLS: z.enum(['on', 'off']).default('off'),
  /** The authorities that may sign Temporal's certificate; the well-known ones by default. */
  CODEXK8S_TEMPORAL_TLS_CA_FILE: certificate.optional(),
  /** The name in Temporal's certificate, where it is not the host of the address. */
  CODEXK8S_TEMPORAL_TLS_SERVER_NAME: z.string().min(1).optional(),
  /** Our certificate and its key, for a Temporal that asks for them (mTLS). Both or none. */
  CODEXK8S_TEMPORAL_TLS_CERT_FILE: certificate.optional(),
  CODEXK8S_TEMPORAL_TLS_KEY_FILE: privateKey.optional(),
  /** A key that is sent with every call, as Temporal Cloud has it. */
  CODEXK8S_TEMPORAL_API_KEY_FILE: secret(8).optional(),
});
type TemporalConfig = z.infer<typeof TemporalSettings>;

const NEED_TLS = [
  'CODEXK8S_TEMPORAL_TLS_CA_FILE',
  'CODEXK8S_TEMPORAL_TLS_SERVER_NAME',
  'CODEXK8S_TEMPORAL_TLS_CERT_FILE',
  'CODEXK8S_TEMPORAL_TLS_KEY_FILE',
  'CODEXK8S_TEMPORAL_API_KEY_FILE',
] as const;

/** Finds what does not go together. */
export function checkTemporal(config: TemporalConfig, context: z.RefinementCtx): void {
  const problem = (setting: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [setting], message });
  if (config.CODEXK8S_TEMPORAL_TLS === 'off')
    for (const setting of NEED_TLS)
      if (config[setting] !== undefined) problem(setting, 'needs CODEXK8S_TEMPORAL_TLS=on');
  if ((config.CODEXK8S_TEMPORAL_TLS_CERT_FILE === undefined) !== (config.CODEXK8S_TEMPORAL_TLS_KEY_FILE === undefined))
    problem('CODEXK8S_TEMPORAL_TLS_KEY_FILE', 'goes with CODEXK8S_TEMPORAL_TLS_CERT_FILE: set both or none');
}

/** How to reach Temporal. */
export function temporalAccess(config: TemporalConfig): TemporalAccess {
  const { CODEXK8S_TEMPORAL_ADDRESS: address, CODEXK8S_TEMPORAL_NAMESPACE: namespace } = config;
  if (config.CODEXK8S_TEMPORAL_TLS === 'off') return { address, namespace };
  const {
    CODEXK8S_TEMPORAL_TLS_CA_FILE: authority,
    CODEXK8S_TEMPORAL_TLS_SERVER_NAME: name,
    CODEXK8S_TEMPORAL_TLS_CERT_FILE: crt,
    CODEXK8S_TEMPORAL_TLS_KEY_FILE: key,
    CODEXK8S_TEMPORAL_API_KEY_FILE: apiKey,
  } = config;
  return {
    address,
    namespace,
    tls: {
      ...(authority === undefined ? {} : { serverRootCACertificate: Buffer.from(authority) }),
      ...(name === undefined ? {} : { serverNameOverride: name }),
      ...(crt === undefined || key === undefined
        ? {}
        : { clientCertPair: { crt: Buffer.from(crt), key: Buffer.from(key) } }),
    },
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}
