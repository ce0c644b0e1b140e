package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.liminix.console.Console;
import org.liminix.console.ProcessLine;

/** What dig makes of the answers, and dnsmasq, which passes them on. */
class DnsServerIT {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  private final EventLoop loop = EventLoop.start("dns");
  private DnsServer dns;

  @BeforeEach
  void serve() {
    String[] many = new String[60];
    for (int i = 0; i < many.length; i++) {
      many[i] = "10.1.0." + (i + 2);
    }
    dns =
        DnsServer.on(UdpHost.at(LOOPBACK, loop))
            .port(0)
            .address("www.example.org", "10.0.2.2", "fd00::2")
            .address("*.lab.example.org", "10.0.2.9")
            .address("many.example.org", "10.1.0.1", many)
            .alias("ftp.example.org", "www.example.org")
            .record(
                "example.org",
                DnsRecord.mail(10, "mx.example.org"),
                DnsRecord.text("v=spf1 -all", "two texts"),
                DnsRecord.of(65_300, new byte[] {1, 2}))
            .record("_sip._udp.example.org", DnsRecord.service(1, 2, 5060, "sip.example.org"))
            .answer(
                question ->
                    question.name().startsWith("broken")
                        ? Optional.of(DnsAnswer.serverFailure())
                        : Optional.empty())
            .start();
  }

  @AfterEach
  void close() {
    dns.close();
    loop.close();
  }

  private static String program(String name, String debianPackage) {
    return Stream.of((System.getenv("PATH") + ":/usr/sbin").split(File.pathSeparator, -1))
        .map(directory -> Path.of(directory, name))
        .filter(Files::isExecutable)
        .findFirst()
        .map(Path::toString)
        .orElseGet(() -> abort(name + " is missing: apt-get install " + debianPackage));
  }

  private static List<String> dig(int port, String... question) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(program("dig", "bind9-dnsutils"));
    command.addAll(List.of("-p", Integer.toString(port), "@127.0.0.1", "+tries=1", "+timeout=10"));
    command.addAll(List.of(question));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    assertThat(output).doesNotContain("Warning", "malformed", "WARNING");
    return output.lines().filter(line -> !line.isBlank()).toList();
  }

  private List<String> dig(String... question) throws Exception {
    return dig(dns.address().getPort(), question);
  }

  private List<String> answer(String... question) throws Exception {
    return dig(Stream.concat(Stream.of("+short"), Stream.of(question)).toArray(String[]::new));
  }

  @Test
  void digUnderstandsEveryKindOfRecord() throws Exception {
    assertThat(answer("www.example.org", "A")).containsExactly("10.0.2.2");
    assertThat(answer("www.example.org", "AAAA")).containsExactly("fd00::2");
    assertThat(answer("ftp.example.org")).containsExactly("www.example.org.", "10.0.2.2");
    assertThat(answer("x.lab.example.org")).containsExactly("10.0.2.9");
    assertThat(answer("example.org", "MX")).containsExactly("10 mx.example.org.");
    assertThat(answer("example.org", "TXT")).containsExactly("\"v=spf1 -all\" \"two texts\"");
    assertThat(answer("example.org", "TYPE65300")).containsExactly("\\# 2 0102");
    assertThat(answer("_sip._udp.example.org", "SRV")).containsExactly("1 2 5060 sip.example.org.");
    assertThat(answer("-x", "10.0.2.2")).containsExactly("www.example.org.");
    assertThat(answer("-x", "fd00::2")).containsExactly("www.example.org.");
    assertThat(answer("many.example.org", "A")).hasSize(61);
    assertThat(dns.queries()).hasSize(11);
  }

  @Test
  void digSeesTheCodesAndWhatIsTruncated() throws Exception {
    assertThat(String.join("\n", dig("nobody.example.org")))
        .contains("status: NXDOMAIN", "EDNS: version: 0", "IN\tSOA\t. . 1 3600 600 86400 60");
    assertThat(String.join("\n", dig("www.example.org", "MX")))
        .contains("status: NOERROR", "ANSWER: 0, AUTHORITY: 1");
    assertThat(String.join("\n", dig("broken.example.org"))).contains("status: SERVFAIL");
    assertThat(String.join("\n", dig("+edns=7", "+noednsnegotiation", "www.example.org")))
        .contains("status: BADVERS");
    assertThat(String.join("\n", dig("+opcode=NOTIFY", "www.example.org")))
        .contains("status: NOTIMP");
    assertThat(String.join("\n", dig("+noedns", "+ignore", "many.example.org")))
        .contains("flags: qr aa tc rd ra", "ANSWER: 0");
    assertThat(String.join("\n", dig("WwW.example.ORG"))).contains("WwW.example.ORG.\t60\tIN\tA");
  }

  @Test
  void dnsmasqPassesTheAnswersOn() throws Exception {
    int port = freePort();
    ProcessLine forwarder =
        ProcessLine.of(
                program("dnsmasq", "dnsmasq-base"),
                "--keep-in-foreground",
                "--log-facility=-",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--pid-file",
                "--user=" + System.getProperty("user.name"),
                "--listen-address=127.0.0.1",
                "--bind-interfaces",
                "--port=" + port,
                "--server=127.0.0.1#" + dns.address().getPort())
            .start();
    try (Console dnsmasq =
        Console.over(forwarder).name("dnsmasq").state(forwarder::toString).open()) {
      dnsmasq.expect("started, version", PATIENCE); // it listens
      assertThat(dig(port, "+short", "ftp.example.org")).last().isEqualTo("10.0.2.2");
      assertThat(dns.awaitQuery("ftp.example.org", PATIENCE).answer().records()).hasSize(2);
      assertThat(String.join("\n", dig(port, "nobody.example.org"))).contains("status: NXDOMAIN");
      assertThat(String.join("\n", dig(port, "broken.example.org"))).contains("status: SERVFAIL");
      assertThat(dig(port, "+short", "-x", "10.0.2.2")).containsExactly("www.example.org.");
      int asked = dns.queries().size();
      assertThat(dig(port, "+short", "ftp.example.org")).last().isEqualTo("10.0.2.2");
      assertThat(dns.queries()).as("it remembers").hasSize(asked);
      assertThat(forwarder.exit()).isNotDone();
    }
  }

  private static int freePort() throws IOException {
    try (DatagramSocket socket = new DatagramSocket(0, LOOPBACK)) {
      return socket.getLocalPort();
    }
  }
}
