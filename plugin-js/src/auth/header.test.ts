import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenFromHeader } from './header';

const TOKEN = 'aaaa.bbbb.cccc';

const read = (rawHeaders: string[], header = 'authorization') => tokenFromHeader({ rawHeaders }, header);

for (const [name, rawHeaders, header] of [
  ['with Bearer', ['Authorization', `Bearer ${TOKEN}`]],
  ['in any letter case', ['AUTHORIZATION', `bEARER ${TOKEN}`]],
  ['with several spaces', ['authorization', `Bearer   ${TOKEN}`]],
  ['without Bearer', ['authorization', TOKEN]],
  ['among others', ['host', 'x', 'Authorization', `Bearer ${TOKEN}`, 'cookie', 'a=b']],
  [
    'in another header, where so configured',
    ['Authorization', 'Bearer other', 'X-Entra-Token', TOKEN],
    'x-entra-token',
  ],
  ['whatever stands as a value elsewhere', ['x-note', 'authorization', 'authorization', `Bearer ${TOKEN}`]],
] as Array<[string, string[], string?]>) {
  test(`the token is found ${name}`, () => assert.equal(read(rawHeaders, header), TOKEN));
}

for (const [name, rawHeaders, message] of [
  [
    'two headers',
    ['Authorization', `Bearer ${TOKEN}`, 'authorization', `Bearer ${TOKEN}`],
    /several authorization headers/,
  ],
  ['two headers, one of them empty', ['Authorization', `Bearer ${TOKEN}`, 'Authorization', ''], /several/],
  ['no header', ['host', 'x'], /no token in the authorization header/],
  ['no headers at all', [], /no token/],
  ['an empty header', ['authorization', ''], /no token/],
  ['two tokens with a comma', ['authorization', `Bearer ${TOKEN},${TOKEN}`], /no token/],
  ['two values joined by a proxy', ['authorization', `Bearer ${TOKEN}, Bearer ${TOKEN}`], /no token/],
  ['two words', ['authorization', `Bearer ${TOKEN} ${TOKEN}`], /no token/],
  ['another scheme', ['authorization', `Basic ${TOKEN}`], /no token/],
  ['proof of possession', ['authorization', `DPoP ${TOKEN}`], /no token/],
  ['a tab', ['authorization', `Bearer\t${TOKEN}`], /no token/],
  ['a line break after it', ['authorization', `Bearer ${TOKEN}\n`], /no token/],
  ['only the word', ['authorization', 'Bearer'], /no token/],
  ['only the word and a space', ['authorization', 'Bearer '], /no token/],
  ['a header of a similar name', ['x-authorization', `Bearer ${TOKEN}`], /no token/],
] as Array<[string, string[], RegExp]>) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => read(rawHeaders),
      (error: Error) => {
        assert.equal(error.name, 'AuthenticationError');
        assert.match(error.message, message);
        assert.ok(!error.message.includes(TOKEN), 'without a word of the token');
        return true;
      },
    );
  });
}
