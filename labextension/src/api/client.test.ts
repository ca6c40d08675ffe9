import { expect, it } from 'vitest';

import { Client } from './client';

const answering = (status: number, body: string) =>
  new Client(
    () => Promise.resolve(new Response(body, { status, statusText: 'of HTTP' })),
    path => path
  );

it.each([
  ['ours', 404, '{"topic": "refused", "of": "", "message": "There is no run r1."}', 'no run r1'],
  ['of Jupyter, which has no extension', 404, '{"message": "Not Found"}', 'extension list'],
  ['of Jupyter, as a page', 404, '<html>404</html>', 'extension list'],
  ['of Jupyter, about who asks', 403, '{"message": "Forbidden: r1"}', 'Forbidden: r1'],
  ['of a proxy', 502, '<html>Bad gateway</html>', 'of HTTP']
])('says what went wrong: an error that is %s', async (_, status, body, said) => {
  await expect(answering(status, body).run('r1')).rejects.toThrow(said);
});
