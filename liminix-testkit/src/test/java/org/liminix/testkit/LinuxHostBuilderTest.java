package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.Segments;

class LinuxHostBuilderTest {
  @TempDir Path directory;

  @Test
  void refusesContradictionsAndSaysWhatToDo() {
    refuses("one network", () -> LinuxHost.on(LAN).and(LAN), "name each network once");
    refuses(
        "address and DHCP",
        () -> LinuxHost.on(LAN).address("10.0.0.1/24").dhcp(),
        "leave out one of the two");
    refuses(
        "DHCP and address",
        () -> LinuxHost.on(LAN).dhcp().address("10.0.0.1/24"),
        "leave out one of the two");
    refuses(
        "two clients",
        () -> LinuxHost.on(LAN).dhcp().and(WORLD).dhcp(),
        "one card can be a client");
    refuses(
        "two gateways",
        () -> LinuxHost.on(LAN).address("10.0.0.1/24").gateway("10.0.0.2").gateway("10.0.0.3"),
        "an IPv4 gateway was given before");
    refuses("a gateway first", () -> LinuxHost.on(LAN).gateway("10.0.0.2"), "before the gateway");
    refuses(
        "a gateway elsewhere",
        () -> LinuxHost.on(LAN).address("10.0.0.1/24").gateway("10.1.0.2"),
        "must be another address of a network of [10.0.0.1/24]");
    refuses("no length", () -> LinuxHost.on(LAN).address("10.0.0.1"), "write one like");
    refuses("too long", () -> LinuxHost.on(LAN).address("10.0.0.1/33"), "write one like");
    refuses("a name", () -> LinuxHost.on(LAN).dns("localhost"), "names are not looked up");
    refuses("a tiny MTU", () -> LinuxHost.on(LAN).mtu(60), "between 68 and");
    refuses("a bad hostname", () -> LinuxHost.on(LAN).hostname("a b"), "letters, digits");
    refuses(
        "the same address",
        () -> LinuxHost.on(LAN).address("10.0.0.1/24").address("10.0.0.1/8"),
        "was given before");
  }

  private static void refuses(String what, ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .as(what)
        .hasMessageContaining(message)
        .hasMessageStartingWith("LinuxHost: ");
  }

  @Test
  void hasAnIpv6AddressBesideDhcp() {
    assertThat(LinuxHost.on(LAN).dhcp().address("2001:db8::1/64").spec()).isNotNull();
  }

  @Test
  void namesTheSettingThatForbidsNamespaces() throws Exception {
    Files.createDirectories(directory.resolve("kernel"));
    Files.createDirectories(directory.resolve("user"));
    assertThat(NamespaceSupport.refusal(directory, "Operation not permitted"))
        .contains("(Operation not permitted)", "seccomp=unconfined");
    Files.writeString(directory.resolve("kernel/apparmor_restrict_unprivileged_userns"), "1\n");
    assertThat(NamespaceSupport.refusal(directory, ""))
        .contains("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
    Files.writeString(directory.resolve("kernel/unprivileged_userns_clone"), "0\n");
    assertThat(NamespaceSupport.refusal(directory, ""))
        .contains("sysctl -w kernel.unprivileged_userns_clone=1");
    Files.writeString(directory.resolve("user/max_user_namespaces"), "0\n");
    assertThat(NamespaceSupport.refusal(directory, ""))
        .contains("sysctl -w user.max_user_namespaces=");
  }

  @Test
  void saysHowToGetTheDeviceThatMakesCards() {
    assertThat(NamespaceSupport.tunProblem(directory.resolve("tun")).orElseThrow())
        .contains("modprobe tun");
  }

  @Test
  void refusesToRunWhatHasNoName() {
    try (Segments segments = Segments.isolated()) {
      assertThatThrownBy(() -> LinuxHost.on(LAN).address("10.0.0.1/24").name(" ").start(segments))
          .hasMessageContaining("must not be blank");
    }
  }
}
