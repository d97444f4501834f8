//! Who is inside what: edges upwards, and everything above a node worked out once

/// For each node a list of nodes, one behind the other
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// Where each list begins, and at the end where the last one ends
    starts: Vec<u32>,
    nodes: Vec<u32>,
}

impl Lists {
    /// From pairs in any order; a pair of a node beyond `count` is left out
    pub fn new(count: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = vec![0; count.saturating_add(1)];
        for (from, _) in pairs {
            add(&mut starts, from.saturating_add(1));
        }
        let mut total = 0_u32;
        for start in &mut starts {
            total = total.saturating_add(*start);
            *start = total;
        }
        let (mut next, mut nodes) = (starts.clone(), vec![0; index(total)]);
        for (from, to) in pairs {
            if index(*from) < count {
                set(&mut nodes, get(&next, *from), *to);
                add(&mut next, *from);
            }
        }
        Self { starts, nodes }
    }

    /// The list of a node; empty for a node that is not there
    pub fn of(&self, node: u32) -> &[u32] {
        let at = index(node);
        let (Some(from), Some(to)) = (self.starts.get(at), self.starts.get(at.saturating_add(1))) else { return &[] };
        self.nodes.get(index(*from)..index(*to)).unwrap_or_default()
    }

    /// How many lists there are
    pub fn count(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// All pairs, in order
    pub fn pairs(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..number(self.count())).flat_map(|node| self.of(node).iter().map(move |to| (node, *to)))
    }

    /// Bytes of memory
    pub fn bytes(&self) -> usize {
        self.starts.capacity().saturating_add(self.nodes.capacity()).saturating_mul(4)
    }
}

/// For each node everything above it, itself included; nodes in one cycle share a list
#[derive(Debug, Clone)]
pub struct Closure {
    /// The cycle that each node is in, which mostly is it alone
    cycle: Vec<u32>,
    above: Lists,
}

const NONE: u32 = u32::MAX;

impl Closure {
    /// Tarjan's strongly connected components; they come out with the upper ones first, so that each list is made of finished ones
    ///
    /// `None` when the lists would be longer than `limit` altogether: a chain of n nodes has n²/2 of them.
    pub fn new(graph: &Lists, limit: usize) -> Option<Self> {
        let count = graph.count();
        let mut closure = Self { cycle: vec![NONE; count], above: Lists { starts: vec![0], nodes: Vec::new() } };
        // When a node was first seen, from 1, and the earliest open node that it leads to.
        let (mut seen, mut low, mut clock) = (vec![0; count], vec![0; count], 0_u32);
        let (mut open, mut walk): (Vec<u32>, Vec<(u32, u32)>) = (Vec::new(), Vec::new());
        let mut listed = vec![NONE; count];
        for root in 0..number(count) {
            let mut enter = (get(&seen, root) == 0).then_some(root);
            loop {
                if let Some(node) = enter.take() {
                    clock = clock.saturating_add(1);
                    set(&mut seen, node, clock);
                    set(&mut low, node, clock);
                    open.push(node);
                    walk.push((node, 0));
                }
                let Some((node, edge)) = walk.last_mut() else { break };
                let node = *node;
                if let Some(target) = graph.of(node).get(index(*edge)).copied() {
                    *edge = edge.saturating_add(1);
                    if get(&seen, target) == 0 {
                        enter = Some(target);
                    } else if get(&closure.cycle, target) == NONE {
                        lower(&mut low, node, get(&seen, target));
                    }
                    continue;
                }
                walk.pop();
                let lowest = get(&low, node);
                if let Some((below, _)) = walk.last() {
                    lower(&mut low, *below, lowest);
                }
                if lowest == get(&seen, node) {
                    closure.close(graph, node, &mut open, &mut listed);
                    if closure.above.nodes.len() > limit {
                        return None;
                    }
                }
            }
        }
        closure.above.nodes.shrink_to_fit();
        Some(closure)
    }

    /// Takes the cycle of `node` off the open nodes and writes its list
    fn close(&mut self, graph: &Lists, node: u32, open: &mut Vec<u32>, listed: &mut [u32]) {
        let cycle = number(self.above.count());
        let first = self.above.nodes.len();
        while let Some(member) = open.pop() {
            set(&mut self.cycle, member, cycle);
            set(listed, member, cycle);
            self.above.nodes.push(member);
            if member == node {
                break;
            }
        }
        let last = self.above.nodes.len();
        for at in first..last {
            let member = get(&self.above.nodes, number(at));
            for target in graph.of(member) {
                // What is listed brought everything above it along.
                if get(listed, *target) == cycle {
                    continue;
                }
                let above = get(&self.cycle, *target);
                let (from, to) = (get(&self.above.starts, above), get(&self.above.starts, above.saturating_add(1)));
                for at in from..to {
                    let node = get(&self.above.nodes, at);
                    if get(listed, node) != cycle {
                        set(listed, node, cycle);
                        self.above.nodes.push(node);
                    }
                }
            }
        }
        self.above.starts.push(number(self.above.nodes.len()));
    }

    /// The node and everything above it
    pub fn of(&self, node: u32) -> &[u32] {
        self.above.of(get(&self.cycle, node))
    }

    /// Bytes of memory
    pub fn bytes(&self) -> usize {
        self.above.bytes().saturating_add(self.cycle.capacity().saturating_mul(4))
    }
}

/// A set of nodes that is emptied at no cost
#[derive(Debug, Clone, Default)]
pub struct Reached {
    stamps: Vec<u32>,
    stamp: u32,
    /// In the order in which they came, and room for one that is not counted
    nodes: Vec<u32>,
    count: usize,
}

impl Reached {
    /// Empties it, with room for nodes below `end`
    pub fn clear(&mut self, end: usize) {
        self.count = 0;
        self.stamp = self.stamp.checked_add(1).unwrap_or_else(|| {
            self.stamps.clear();
            1
        });
        self.stamps.resize(end.max(self.stamps.len()), 0);
        self.nodes.resize(self.stamps.len().saturating_add(1), 0);
    }

    /// What it holds
    pub fn nodes(&self) -> &[u32] {
        self.nodes.get(..self.count).unwrap_or_default()
    }

    /// Whether it is new
    #[inline(always)]
    pub fn insert(&mut self, node: u32) -> bool {
        let (Some(stamp), Some(place)) = (self.stamps.get_mut(index(node)), self.nodes.get_mut(self.count)) else {
            return false;
        };
        // Written in any case and counted if new: whether it is cannot be foreseen, and a branch on it costs more than both.
        *place = node;
        let new = *stamp != self.stamp;
        *stamp = self.stamp;
        self.count = self.count.wrapping_add(usize::from(new));
        new
    }

    /// Adds a node and everything above it
    pub fn insert_above(&mut self, closure: &Closure, node: u32) {
        if self.stamps.get(index(node)).is_some_and(|stamp| *stamp != self.stamp) {
            for above in closure.of(node) {
                self.insert(*above);
            }
        }
    }
}

/// A number as a place in memory
pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A place in memory as a number
pub(super) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE)
}

/// What stands at a place; a number beyond all for one that is not there
pub(super) fn get(numbers: &[u32], at: u32) -> u32 {
    numbers.get(index(at)).copied().unwrap_or(NONE)
}

pub(super) fn set(numbers: &mut [u32], at: u32, value: u32) {
    if let Some(place) = numbers.get_mut(index(at)) {
        *place = value;
    }
}

fn add(numbers: &mut [u32], at: u32) {
    set(numbers, at, get(numbers, at).saturating_add(1));
}

fn lower(numbers: &mut [u32], at: u32, value: u32) {
    set(numbers, at, get(numbers, at).min(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn above(pairs: &[(u32, u32)], count: usize) -> Vec<Vec<u32>> {
        let closure = Closure::new(&Lists::new(count, pairs), 1000).unwrap();
        (0..number(count))
            .map(|node| {
                let mut nodes = closure.of(node).to_vec();
                nodes.sort_unstable();
                nodes
            })
            .collect()
    }

    #[test]
    fn lists_hold_the_pairs() {
        let lists = Lists::new(3, &[(2, 0), (0, 1), (0, 2), (9, 1)]);
        assert_eq!((lists.of(0), lists.of(1), lists.of(2), lists.of(3)), (&[1, 2][..], &[][..], &[0][..], &[][..]));
        assert_eq!(lists.pairs().collect::<Vec<_>>(), [(0, 1), (0, 2), (2, 0)]);
        assert_eq!(Lists::default().of(0), &[0_u32; 0]);
    }

    #[test]
    fn everything_above_is_there_once_with_diamonds_and_cycles() {
        assert_eq!(above(&[(0, 1), (0, 2), (1, 3), (2, 3)], 4), [vec![0, 1, 2, 3], vec![1, 3], vec![2, 3], vec![3]]);
        let cycle = above(&[(0, 1), (1, 2), (2, 0), (2, 3), (4, 1), (3, 3)], 5);
        assert_eq!(cycle, [vec![0, 1, 2, 3], vec![0, 1, 2, 3], vec![0, 1, 2, 3], vec![3], vec![0, 1, 2, 3, 4]]);
    }

    #[test]
    fn a_long_chain_is_no_recursion_and_no_flood() {
        let chain: Vec<_> = (0..100_000).map(|node| (node, node + 1)).collect();
        assert!(Closure::new(&Lists::new(100_001, &chain), 1_000_000).is_none());
        let ring: Vec<_> = (0..100_000).map(|node| (node, (node + 1) % 100_000)).collect();
        assert_eq!(Closure::new(&Lists::new(100_000, &ring), 1_000_000).unwrap().of(7).len(), 100_000);
    }

    #[test]
    fn a_set_is_emptied_even_when_its_stamps_run_out() {
        let mut reached = Reached { stamp: u32::MAX - 1, ..Reached::default() };
        for _ in 0..4 {
            reached.clear(2);
            assert!(reached.insert(1) && !reached.insert(1) && !reached.insert(2));
            assert_eq!(reached.nodes(), [1]);
        }
    }
}
