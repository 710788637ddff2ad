/** The arrows of ARCHITECTURE.md: they point inward. Type-only edges cross where the code may not. */
const layer = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: to, dependencyTypesNot: ['type-only'] },
});
module.exports = {
  forbidden: [
    layer(
      'domain-is-pure',
      '^src/domain',
      '^(src/(?!domain)|activities|workflows|workers|node_modules)',
      'src/domain imports nothing but itself',
    ),
    layer(
      'facts-are-pure',
      '^src/facts',
      '^(src/(?!domain|facts)|activities|workflows|workers|node_modules/(?!sax/))',
      'src/facts: text to facts; sax reads XML and does nothing else',
    ),
    layer(
      'schema-parses',
      '^src/schema',
      '^(src/(?!domain|schema)|activities|workflows|workers)',
      'src/schema: user input to domain',
    ),
    layer(
      'host-is-a-port',
      '^src/host',
      '^(src/(?!domain|facts|host)|activities|workflows|workers)',
      'src/host knows domain and facts',
    ),
    layer(
      'workflows-are-deterministic',
      '^workflows',
      '^(src/(?!domain)|activities|workers)',
      'workflows import domain; activities as types',
    ),
    layer(
      'activities-are-edges',
      '^activities',
      '^(src/(?!domain|facts|host|engine)|workflows/(?!messages)|workers)',
      'activities know domain, facts, host, engine',
    ),
    layer(
      'nothing-imports-workers',
      '^(src/(?!cli)|activities|workflows)',
      '^workers',
      'workers are composition roots; only the CLI starts them',
    ),
    layer(
      'no-tests-in-product',
      '^(src|activities|workflows|workers)',
      '^(test|lab)',
      'the product never imports tests',
    ),
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Captures hold the links of a real sysfs, which go in circles.
    exclude: { path: '^test/fixtures' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
