//! Departments as a tree: each before those below it, in the order that the console shows. Pure.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::api::Department;
use crate::sort;

/// The departments in the order of the tree. Those whose parent is not among them are tops; so is the first one of a circle.
pub(super) fn in_order(departments: Vec<Department>) -> Vec<Department> {
    let ids: HashSet<u32> = departments.iter().map(|department| department.id).collect();
    let (mut tops, mut below) = (Vec::new(), HashMap::<u32, Vec<Department>>::new());
    for department in departments {
        match is_top(&department, &ids) {
            true => tops.push(department),
            false => below.entry(department.parent).or_default().push(department),
        }
    }
    let mut ordered = Vec::with_capacity(ids.len());
    loop {
        walk(&mut ordered, tops, &mut below);
        // What no top leads to is a circle, which WeCom should never answer: it is listed all the same.
        let Some(parent) = below.keys().min().copied() else { return ordered };
        tops = below.remove(&parent).unwrap_or_default();
    }
}

/// Those of the topmost level alone.
pub(super) fn tops(departments: Vec<Department>) -> Vec<Department> {
    let ids: HashSet<u32> = departments.iter().map(|department| department.id).collect();
    departments.into_iter().filter(|department| is_top(department, &ids)).collect()
}

fn is_top(department: &Department, ids: &HashSet<u32>) -> bool {
    department.parent == department.id || !ids.contains(&department.parent)
}

fn walk(ordered: &mut Vec<Department>, tops: Vec<Department>, below: &mut HashMap<u32, Vec<Department>>) {
    let mut stack = Vec::new();
    put(&mut stack, tops);
    while let Some(department) = stack.pop() {
        put(&mut stack, below.remove(&department.id).unwrap_or_default());
        ordered.push(department);
    }
}

/// Puts siblings on a stack, the last one first: the larger `order`, the earlier (document path 90208).
fn put(stack: &mut Vec<Department>, mut siblings: Vec<Department>) {
    sort::sort_by_key(&mut siblings, |department| Reverse(department.order));
    stack.extend(siblings.into_iter().rev());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn department(id: u32, parent: u32, order: u64) -> Department {
        Department { id, parent, name: String::new(), order }
    }

    fn ids(departments: &[Department]) -> Vec<u32> {
        departments.iter().map(|department| department.id).collect()
    }

    #[test]
    fn each_comes_before_those_below_it_and_the_larger_order_first() {
        let all = [(4, 3, 0), (2, 1, 5), (6, 4, 9), (5, 3, 1), (1, 0, 7), (3, 1, 9), (7, 2, 0)];
        let all = all.map(|(id, parent, order)| department(id, parent, order)).to_vec();
        assert_eq!(ids(&in_order(all.clone())), [1, 3, 5, 4, 6, 2, 7]);
        assert_eq!(ids(&tops(all)), [1]);
    }

    #[test]
    fn parts_of_a_tree_have_several_tops() {
        let all = vec![department(9, 8, 1), department(4, 3, 2), department(3, 1, 1), department(7, 1, 2)];
        assert_eq!(ids(&in_order(all.clone())), [7, 9, 3, 4].map(|id| id));
        assert_eq!(ids(&tops(all)), [9, 3, 7]);
        assert!(in_order(Vec::new()).is_empty());
    }

    #[test]
    fn a_circle_ends_and_loses_nobody() {
        let all = vec![department(1, 0, 0), department(5, 6, 0), department(6, 5, 0), department(8, 8, 0)];
        let mut found = ids(&in_order(all));
        assert_eq!(found.len(), 4);
        found.sort_unstable();
        assert_eq!(found, [1, 5, 6, 8]);
    }

    #[test]
    fn a_deep_and_a_wide_tree_are_no_trouble() {
        let deep: Vec<_> = (1..=20_000).map(|id| department(id, id - 1, 0)).collect();
        assert_eq!(in_order(deep).len(), 20_000);
        let wide: Vec<_> = (1..=20_000).map(|id| department(id, u32::from(id > 1), u64::from(id))).collect();
        assert_eq!(ids(&in_order(wide)[..2]), [1, 20_000]);
    }
}
