import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What each layer may not import, and why; the same arrows stand in .dependency-cruiser.cjs. */
const forbid = (patterns) => ({
  '@typescript-eslint/no-restricted-imports': ['error', { patterns }],
});
const nodeBuiltIns = {
  regex: '^(node:|fs|os|path|child_process|net|crypto$)',
  message: 'Workflows and domain are deterministic: no Node built-ins; do it in an activity.',
};
const temporal = {
  group: ['@temporalio/*'],
  message: 'Only workflows/, activities/, src/engine, src/cli and workers/ know Temporal.',
};

export default tseslint.config(
  { ignores: ['node_modules', '.cache', 'coverage', 'test/fixtures'] },
  js.configs.recommended,
  {
    files: ['**/*.{mjs,cjs,js}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        URL: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: true },
      ],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 10],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/domain/**/*.ts'],
    rules: forbid([
      nodeBuiltIns,
      temporal,
      {
        group: ['zod', 'yaml', 'ssh2', 'node-ssh', 'pino'],
        message: 'src/domain is pure: no libraries.',
      },
      {
        // One level up is still inside for src/domain/rollout.
        regex: '^\\.\\./(\\.\\./|(facts|schema|host|engine|cli|console|simulator)/)',
        message: 'src/domain imports nothing but itself.',
      },
    ]),
  },
  {
    files: [
      'src/facts/**/*.ts',
      'src/schema/**/*.ts',
      'src/host/**/*.ts',
      'src/simulator/**/*.ts',
      'activities/steps/**/*.ts',
    ],
    rules: forbid([temporal]),
  },
  {
    files: ['workflows/**/*.ts'],
    rules: forbid([
      nodeBuiltIns,
      { regex: '^\\.\\./src/(?!domain/)', message: 'Workflows import src/domain only.' },
      { regex: '^\\.\\./activities/', message: 'Types only: import type.', allowTypeImports: true },
      {
        regex: '^@temporalio/(?!workflow)',
        message: 'Workflows import @temporalio/workflow only.',
      },
    ]),
  },
  {
    files: ['test/**/*.ts', 'lab/**/*.ts'],
    rules: {
      // A describe block is a list of tests, not a function to keep short.
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
