import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
}

const text = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };

it('docker-compose.yml opens loopback ports only, since that server lets everybody in', () => {
  const ports = Object.values(services).flatMap((service) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(0);
  expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
});

it('docker-compose.yml pins each image, waits for services that exist, and holds no password', () => {
  for (const { image, depends_on: awaited = {} } of Object.values(services)) {
    expect(image).toMatch(/:\d+(\.\d+)*$/);
    expect(Object.keys(awaited).filter((name) => !(name in services))).toEqual([]);
  }
  expect(text.match(/PASSWORD: (?!\$\{)/g)).toBeNull();
});
