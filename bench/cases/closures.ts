/** What is above each group, worked out once: as one would write it in JavaScript. */

/** Lists of numbers one behind the other */
export interface Lists {
  starts: Uint32Array;
  nodes: Uint32Array;
}

export interface Closure {
  /** For each group the cycle that it is in, mostly alone */
  cycle: Uint32Array;
  /** For each cycle everything above it, itself included */
  above: Lists;
}

export function listsOf(of: number[][]): Lists {
  const starts = new Uint32Array(of.length + 1);
  of.forEach((list, at) => (starts[at + 1] = starts[at]! + list.length));
  const nodes = new Uint32Array(starts[of.length]!);
  of.forEach((list, at) => nodes.set(list, starts[at]));
  return { starts, nodes };
}

/** Tarjan's algorithm with a stack of its own: the same as in the core, on typed arrays */
export function closureOf({ starts, nodes }: Lists): Closure {
  const count = starts.length - 1;
  const NONE = 0xffff_ffff;
  const cycle = new Uint32Array(count).fill(NONE);
  const [seen, low, edge] = [new Uint32Array(count), new Uint32Array(count), new Uint32Array(count)];
  const listed = new Uint32Array(count).fill(NONE);
  const [open, walk] = [new Uint32Array(count), new Uint32Array(count)];
  let [opened, walked, clock, cycles, length] = [0, 0, 0, 0, 0];
  const ends = new Uint32Array(count + 1);
  let lists = new Uint32Array(count * 8);
  const push = (node: number) => {
    if (length === lists.length) {
      const longer = new Uint32Array(length * 2);
      longer.set(lists);
      lists = longer;
    }
    lists[length++] = node;
  };
  const enter = (node: number) => {
    seen[node] = low[node] = ++clock;
    edge[node] = starts[node]!;
    open[opened++] = walk[walked++] = node;
  };
  for (let root = 0; root < count; root++) {
    if (seen[root] === 0) enter(root);
    while (walked > 0) {
      const node = walk[walked - 1]!;
      if (edge[node]! < starts[node + 1]!) {
        const target = nodes[edge[node]!++]!;
        if (seen[target] === 0) enter(target);
        else if (cycle[target] === NONE) low[node] = Math.min(low[node]!, seen[target]!);
        continue;
      }
      walked -= 1;
      if (walked > 0) low[walk[walked - 1]!] = Math.min(low[walk[walked - 1]!]!, low[node]!);
      if (low[node] !== seen[node]) continue;
      const first = length;
      let member: number;
      do {
        member = open[--opened]!;
        cycle[member] = listed[member] = cycles;
        push(member);
      } while (member !== node);
      const last = length;
      for (let at = first; at < last; at++) {
        member = lists[at]!;
        for (let i = starts[member]!; i < starts[member + 1]!; i++) {
          const target = nodes[i]!;
          if (listed[target] === cycles) continue;
          const above = cycle[target]!;
          for (let j = ends[above]!; j < ends[above + 1]!; j++) {
            const next = lists[j]!;
            if (listed[next] === cycles) continue;
            listed[next] = cycles;
            push(next);
          }
        }
      }
      ends[++cycles] = length;
    }
  }
  return { cycle, above: { starts: ends.slice(0, cycles + 1), nodes: lists.slice(0, length) } };
}

/** What one writes who has not measured; right with cycles, too */
export function setsOf(inside: number[][]): Set<number>[] {
  return inside.map((_, group) => {
    const found = new Set([group]);
    for (const each of found) for (const above of inside[each] ?? []) found.add(above);
    return found;
  });
}
