//! Limits of open files, and disks that nobody may write to.

use super::*;

#[test]
fn limits_of_open_files() {
    let of = |machine: &Machine| {
        let found: Vec<Finding> = machine.findings().into_iter().filter(|finding| finding.check == "open-files").collect();
        shown(&found)
    };
    let many = Machine { wanted: Wanted { instances: 100, ..Wanted::default() }, ..machine() };
    insta::assert_snapshot!(of(&many), @r"
    problem  A runner may have 1,024 files open here, and its 100 instances take
             about 1,264
             raise the limit of the shell that starts pmdev:
                 ulimit -n 2528

    1 problem
    ");
    let declared = Wanted { files: vec![("api".into(), 65_536)], ..Wanted::default() };
    let declared = Machine { wanted: declared, files: (Some(1024), Some(4096)), ..machine() };
    insta::assert_snapshot!(of(&declared), @r"
    problem  api is to have 65,536 open files (limits.nofile), and nobody gets more
             than 4,096 here: it does not start
             lower limits.nofile, or have root raise the hard limit (LimitNOFILE= of
             a unit, or limits.conf), and log in again:
                 sudo sh -c 'echo ann hard nofile 65536 >> /etc/security/limits.conf'

    1 problem
    ");
    assert!(of(&Machine { root: true, raises: true, ..declared.clone() }).starts_with("ok "), "root raises it");
    insta::assert_snapshot!(of(&Machine { root: true, ..declared.clone() }), @r"
    problem  api is to have 65,536 open files (limits.nofile), and nobody gets more
             than 4,096 here: it does not start
             lower limits.nofile, or have whatever starts pmdev give more, since
             root lacks the right to raise it here (CAP_SYS_RESOURCE); of a
             container for example so:
                 docker run --ulimit nofile=65536:65536 …

    1 problem
    ");
    let wanted = Wanted { files: vec![("api".into(), 2 << 20)], ..Wanted::default() };
    insta::assert_snapshot!(of(&Machine { root: true, raises: true, wanted, ..declared }), @r"
    problem  api is to have 2,097,152 open files (limits.nofile), and nobody gets
             more than 1,048,576 here, not even root: it does not start
             lower limits.nofile, or raise what the kernel allows (fs.nr_open):
                 sysctl fs.nr_open=2097152

    1 problem
    ");
    let server = Wanted { usual_files: vec!["api".into(), "web".into()], ..Wanted::default() };
    let server = Machine { wanted: server, ..machine() };
    insta::assert_snapshot!(of(&server), @r"
    warning  api and web may have 1,024 files open at once, connections among them,
             which is little for a server
             say limits: { nofile: 65536 } of each in the project file; in a service
             that pmdev startup writes that is so anyway

    1 warning
    ");
    assert!(of(&Machine { files: (None, None), ..server }).contains("any number a process"), "no limit at all");
}

#[test]
fn a_disk_that_is_mounted_read_only() {
    let place = Place { read_only: true, ..place("/srv/shop/logs", "log files of api", false, 1 << 30) };
    let found: Vec<Finding> =
        Machine { places: vec![place], ..machine() }.findings().into_iter().filter(|found| found.check == "folders").collect();
    insta::assert_snapshot!(shown(&found), @r#"
    problem  /srv/shop/logs lies on a file system that is mounted read-only, and log
             files of api are to lie there
             name another folder (PMDEV_HOME, or logs: { out: …, error: … }), mount
             a disk or a volume there, or this one for writing:
                 sudo mount -o remount,rw "$(findmnt -n -o TARGET --target /srv)"

    1 problem
    "#);
}
