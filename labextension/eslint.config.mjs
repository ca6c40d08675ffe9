import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import hooks from 'eslint-plugin-react-hooks';
import typescript from 'typescript-eslint';

export default typescript.config(
  { ignores: ['lib', 'node_modules', 'src/api/generated.ts'] },
  ...typescript.configs.recommended,
  ...jupyter.configs.recommended.map(part => ({ ...part, plugins: { jupyter } })),
  {
    files: ['src/**/*.ts', 'src/**/*.tsx', 'test/**/*.ts', 'vitest.config.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.test.json' } },
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], custom: { regex: '^I[A-Z]', match: true } }
      ],
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true }],
      '@typescript-eslint/no-namespace': 'off', // CommandIDs is one, as everywhere in JupyterLab
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'max-lines': ['error', 300],
      'no-console': 'error',
      'jupyter/prefer-lazy-imports': [
        'warn',
        {
          // Lab asks for these without waiting: what a sidebar, an output and a toolbar show at first.
          ignoreImports: ['../model/runlist', '../view/sidebar', '../view/card', '../view/badge']
        }
      ]
    }
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      // What tests make up is shown to nobody, and ends with the test.
      'jupyter/no-untranslated-string': 'off',
      'jupyter/require-disposable-ownership': 'off'
    }
  },
  prettier
);
