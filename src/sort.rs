//! Sorts lists of any kind of item by one sort: that of the standard library is compiled anew for each kind, 4 KB each time.

use std::cmp::Ordering;

/// Sorts the list; what is equal keeps its order.
pub fn sort<T: Ord>(list: &mut [T]) {
    sort_by(list, T::cmp);
}

/// Sorts the list by a key of each item; what is equal keeps its order.
pub fn sort_by_key<T, K: Ord>(list: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(list, |one, other| key(one).cmp(&key(other)));
}

/// Sorts the list by this order; what is equal keeps its order.
pub fn sort_by<T>(list: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let ranks = ranks(list.len(), &|one, other| compare(&list[one], &list[other]));
    arrange(ranks, &mut |one, other| list.swap(one, other));
}

/// Collects into a sorted map or set, item by item; [`Iterator::collect`] would sort them all first.
pub fn collect<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut collected = C::default();
    collected.extend(items);
    collected
}

/// Where each item belongs, by its place now.
fn ranks(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    let mut ranks = vec![0; count];
    for (rank, place) in order.into_iter().enumerate() {
        ranks[place] = rank;
    }
    ranks
}

/// Brings each item where it belongs.
fn arrange(mut ranks: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for place in 0..ranks.len() {
        while ranks[place] != place {
            let rank = ranks[place];
            swap(place, rank);
            ranks.swap(place, rank);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_order_is_that_of_the_standard_library(list in prop::collection::vec((0..9_u8, any::<u8>()), 0..60)) {
            let (mut whole, mut by_key) = (list.clone(), list.clone());
            let (mut expected_whole, mut expected_by_key) = (list.clone(), list.clone());
            expected_whole.sort();
            expected_by_key.sort_by_key(|item| item.0);
            sort(&mut whole);
            sort_by_key(&mut by_key, |item| item.0);
            prop_assert_eq!((whole, by_key), (expected_whole, expected_by_key));
            let collected: BTreeMap<_, _> = collect(list.clone());
            prop_assert_eq!(collected, list.into_iter().collect::<BTreeMap<_, _>>());
        }
    }
}
