import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PermissionNumbers, UNNUMBERED } from './permissionNumbers';

test('a number is found by name, action and type of resource, and by nothing less', () => {
  const numbers = new PermissionNumbers();
  const read = { name: 'catalog.entity.read', action: 'read', resourceType: 'catalog-entity' } as const;
  assert.equal(numbers.find(read), UNNUMBERED);
  numbers.add(read, 0);
  numbers.add({ name: read.name }, 1);
  numbers.add({ name: read.name, action: 'read' }, 2);
  numbers.add({ ...read, name: 'catalog.location.read' }, 3);
  assert.equal(numbers.find({ ...read }), 0);
  assert.equal(numbers.find({ name: read.name }), 1);
  assert.equal(numbers.find({ name: read.name, action: 'read' }), 2);
  assert.equal(numbers.find({ ...read, name: 'catalog.location.read' }), 3);
  // However short, and at the same place as others.
  for (const [at, name] of ['', 'a', 'abc', 'b'].entries()) numbers.add({ name }, 10 + at);
  for (const round of [1, 2]) {
    for (const [at, name] of ['', 'a', 'abc', 'b'].entries()) assert.equal(numbers.find({ name }), 10 + at, `${round}`);
  }
  // What one text made of all three would take for the same.
  assert.equal(numbers.find({ name: 'catalog.entity.read read', resourceType: 'catalog-entity' }), UNNUMBERED);
  assert.equal(numbers.find({ ...read, action: 'delete' }), UNNUMBERED);
  assert.equal(numbers.find({ ...read, resourceType: 'other' }), UNNUMBERED);
  assert.equal(numbers.find({ name: '__proto__' }), UNNUMBERED);
});
