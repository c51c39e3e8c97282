//! What a service may not do, as far as apps that serve a network need not do it: systemd.exec(5), "Sandboxing" and the sections below it.

use super::{
    service::{Scope, Service},
    systemd::{Text, word},
};

/// The calls that services make, and none that change the machine; `systemd-analyze syscall-filter` lists them.
const CALLS: &str = "@system-service";

/// The families of addresses that servers speak.
const FAMILIES: &str = "AF_UNIX AF_INET AF_INET6 AF_NETLINK";

/// Writes the directives.
pub fn write(service: &Service, text: &mut Text) {
    text.gap();
    text.comment("What the apps may not do. To take one back for good: a drop-in with the same line and another value.");
    text.comment("No program gains rights by being executed: sudo, ping and other set-user-ID programs fail.");
    text.set("NoNewPrivileges", "yes");
    match service.scope {
        Scope::System => {
            rights(service, text);
            files(service, text);
            machine(text);
        }
        Scope::User => text.comment("What hides files and devices is left out: a user's own systemd may do that on some machines alone."),
    }
    process(service, text);
}

/// The rights of root.
fn rights(service: &Service, text: &mut Text) {
    let needs = &service.needs;
    let names: Vec<&str> = needs.capabilities.iter().copied().collect();
    let names = names.join(" ");
    if needs.capabilities.is_empty() {
        text.comment("None of root's rights.");
    } else if needs.low_ports.is_empty() {
        text.comment("Of root's rights those that the apps use.");
    } else {
        text.comment(&format!("A port below 1024 ({}).", needs.low_ports.join(", ")));
    }
    text.set("CapabilityBoundingSet", &names);
    if !service.account.root && !names.is_empty() {
        // A program that is not root's has only what is handed on to it.
        text.set("AmbientCapabilities", &names);
    }
}

/// What of the file system is seen and written.
fn files(service: &Service, text: &mut Text) {
    let needs = &service.needs;
    text.comment("The file system is read-only but for the folders below. If an app writes elsewhere, an upload or a database, name that folder as well:");
    text.comment("pmdev startup --writable FOLDER. One that is missing (-) does not keep the service from starting.");
    text.set("ProtectSystem", "strict");
    for folder in &needs.writable {
        text.comment(&format!("  {}", folder.why));
        text.set("ReadWritePaths", &word(&format!("-{}", folder.path)));
    }
    if needs.in_a_home {
        text.comment("Something of this service lies in a home folder, so those are seen, but not written.");
        text.set("ProtectHome", "read-only");
    } else {
        text.comment("Nothing of this service lies in a home folder.");
        text.set("ProtectHome", "yes");
    }
    match &needs.in_temporary {
        Some(path) => text.comment(&format!("PrivateTmp= is left out: {path} would not be seen.")),
        None => {
            text.comment("A /tmp of its own, which goes with it.");
            text.set("PrivateTmp", "yes");
        }
    }
    text.comment("Of the devices /dev/null and its like; take it back for apps that use a GPU or a serial line.");
    text.set("PrivateDevices", "yes");
    text.comment("ProtectProc= is left out: pmdev must see every process of its apps, also those that hide their memory.");
}

/// The machine's own settings.
fn machine(text: &mut Text) {
    text.comment("The clock, the kernel's settings, modules and log, the control groups and the host's name are the machine's.");
    for name in ["Clock", "KernelTunables", "KernelModules", "KernelLogs", "ControlGroups", "Hostname"] {
        text.set(&format!("Protect{name}"), "yes");
    }
}

/// What a process may ask of the kernel.
fn process(service: &Service, text: &mut Text) {
    text.comment("Networks and local sockets; AF_NETLINK is how programs list their network interfaces, and node fails without it.");
    text.set("RestrictAddressFamilies", FAMILIES);
    text.comment("No containers of its own; take it back for a headless browser, which makes its sandbox of namespaces.");
    text.set("RestrictNamespaces", "yes");
    text.set("RestrictRealtime", "yes");
    text.set("RestrictSUIDSGID", "yes");
    text.set("LockPersonality", "yes");
    match &service.needs.compiles {
        Some(why) => text.comment(&format!("MemoryDenyWriteExecute= is left out: {why}.")),
        None => {
            text.comment("Every app is compiled before it runs, so no memory need be written and executed.");
            text.set("MemoryDenyWriteExecute", "yes");
        }
    }
    text.comment("The system calls of services. A call that is not among them fails, and does not end the app: many try a new call before an old one.");
    text.set("SystemCallArchitectures", "native");
    text.set("SystemCallFilter", CALLS);
    text.set("SystemCallErrorNumber", "EPERM");
}
