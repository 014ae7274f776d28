//! Who works where in the corp of the fake: departments, people and tags.

use std::collections::{BTreeMap, BTreeSet};

/// The one department that has none above it.
pub const ROOT: u32 = 1;

#[derive(Debug, Clone)]
pub struct Department {
    pub parent: u32,
    pub name: String,
    /// Larger ones come first.
    pub order: u32,
}

/// A member of the corp.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub departments: Vec<u32>,
    /// As the console shows it, without blanks and signs between the digits.
    pub mobile: Option<String>,
    /// The corp's own mail.
    pub mail: Option<String>,
    pub personal_mail: Option<String>,
    /// 2 disabled, 4 not activated, 5 left; `None` is active.
    pub status: Option<u8>,
}

#[derive(Debug, Clone, Default)]
pub struct Tag {
    pub name: String,
    /// In lower case.
    pub members: Vec<String>,
    pub departments: Vec<u32>,
}

#[derive(Debug, Default)]
pub struct Directory {
    pub departments: BTreeMap<u32, Department>,
    /// By userid in lower case, as every answer has it.
    pub people: BTreeMap<String, Person>,
    pub tags: BTreeMap<u32, Tag>,
    /// So many look-ups may find nobody: the reference says 20 % of the corp's member cap.
    pub most_misses: usize,
    /// How many found nobody today.
    pub misses: usize,
}

impl Directory {
    /// A small corp: two departments, one tag, and the members that are always there.
    pub fn small() -> Self {
        let mut directory = Self { most_misses: 200, ..Self::default() };
        directory.add_department(ROOT, 0, "示例公司");
        directory.add_department(2, ROOT, "运维部");
        for (at, (userid, name, departments)) in
            [("zhangsan", "张三", vec![1]), ("lisi", "李四", vec![1, 2]), ("wangwu", "王五", vec![2])]
                .into_iter()
                .enumerate()
        {
            let person = Person {
                name: name.to_owned(),
                departments,
                mobile: Some(format!("1380000000{at}")),
                mail: Some(format!("{userid}@example.com")),
                personal_mail: Some(format!("{userid}@example.net")),
                status: None,
            };
            directory.people.insert(userid.to_owned(), person);
        }
        let tag = Tag { name: "值班".to_owned(), members: vec!["zhangsan".to_owned()], departments: vec![2] };
        directory.tags.insert(1, tag);
        directory
    }

    pub fn add_department(&mut self, id: u32, parent: u32, name: &str) {
        let order = u32::MAX - u32::try_from(self.departments.len()).unwrap_or_default();
        self.departments.insert(id, Department { parent, name: name.to_owned(), order });
    }

    /// Adds a member without a number or mail of the root department, if there is none of that id.
    pub fn ensure_person(&mut self, userid: &str) {
        let person = || Person { name: userid.to_owned(), departments: vec![ROOT], ..Person::default() };
        self.people.entry(userid.to_lowercase()).or_insert_with(person);
    }

    /// Adds a department below the root, if there is none of that id.
    pub fn ensure_department(&mut self, id: u32) {
        if !self.departments.contains_key(&id) {
            self.add_department(id, ROOT, &format!("部门{id}"));
        }
    }

    /// Adds an empty tag, if there is none of that id.
    pub fn ensure_tag(&mut self, id: u32) {
        self.tags.entry(id).or_insert_with(|| Tag { name: format!("标签{id}"), ..Tag::default() });
    }

    /// A corp of so many departments, three deep below the root, and so many members spread over them; every tenth
    /// member is in two departments.
    pub fn large(departments: u32, members: u32) -> Self {
        let mut directory = Self { most_misses: 200, ..Self::default() };
        directory.add_department(ROOT, 0, "示例集团");
        for id in 2..=departments {
            let parent = if id <= 11 { ROOT } else { 2 + id % 10 };
            directory.add_department(id, parent, &format!("第{id}部门"));
        }
        for number in 0..members {
            let own = 1 + number % departments;
            let mut at = vec![own];
            if number % 10 == 0 && departments > 1 {
                at.push(1 + (number + 1) % departments);
            }
            let person = Person {
                name: format!("成员{number}"),
                departments: at,
                mobile: Some(format!("1380000{number:04}")),
                mail: Some(format!("member{number}@example.com")),
                personal_mail: None,
                status: None,
            };
            directory.people.insert(format!("member{number}"), person);
        }
        directory
    }

    /// Whether a department is one of these or lies below one.
    pub fn is_within(&self, id: u32, tops: &BTreeSet<u32>) -> bool {
        let mut at = id;
        loop {
            if tops.contains(&at) {
                return true;
            }
            match self.departments.get(&at) {
                Some(department) if department.parent != 0 => at = department.parent,
                _ => return false,
            }
        }
    }
}
