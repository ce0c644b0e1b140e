package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.liminix.net.Frames.frame;
import static org.liminix.net.Network.LAN;

import java.io.BufferedReader;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What tshark makes of the files. */
@Timeout(120)
class CaptureIT {
  private static final MacAddress A = MacAddress.parse("02:00:00:00:00:0a");

  @TempDir Path directory;

  private final Segments segments = Segments.isolated();

  @AfterEach
  void close() {
    segments.close();
  }

  private static void requireTshark() {
    assumeTrue(
        Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
            .anyMatch(path -> Files.isExecutable(Path.of(path, "tshark"))),
        "tshark is missing: apt-get install tshark");
  }

  private static List<String> tshark(String... arguments) throws Exception {
    requireTshark();
    ProcessBuilder builder =
        new ProcessBuilder(Stream.concat(Stream.of("tshark"), Stream.of(arguments)).toList());
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output.lines().filter(line -> !line.startsWith("Running as user \"root\"")).toList();
  }

  @Test
  void opensWithoutAWarningAndTellsWhoSentWhatWhere() throws Exception {
    Path file = directory.resolve("lan.pcapng");
    Instant before = Instant.now();
    try (Capture capture = segments.get(LAN).capture(file)) {
      EthernetHost a = EthernetHost.on(LAN).name("ann").address("10.0.0.1/24").start(segments);
      EthernetHost.on(LAN).name("bob").address("10.0.0.2/24").start(segments);
      a.ping("10.0.0.2", Duration.ofSeconds(10));
      assertThat(capture.packets()).isGreaterThanOrEqualTo(4);
      assertThat(capture.dropped()).isZero();
      assertThat(capture.path()).isEqualTo(file);
    }
    List<String> lines =
        tshark(
            "-r",
            file.toString(),
            "-Y",
            "icmp",
            "-T",
            "fields",
            "-E",
            "separator=|",
            "-e",
            "frame.interface_name",
            "-e",
            "frame.comment",
            "-e",
            "frame.time_epoch",
            "-e",
            "icmp.type",
            "-e",
            "icmp.checksum.status",
            "-e",
            "ip.checksum.status",
            "-o",
            "ip.check_checksum:TRUE");
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0)).matches("lan\\|from ann\\|[0-9.]+\\|8\\|1\\|1");
    assertThat(lines.get(1)).matches("lan\\|from bob\\|[0-9.]+\\|0\\|1\\|1");
    String[] time = lines.get(0).split("\\|", -1)[2].split("\\.", -1);
    assertThat(Instant.ofEpochSecond(Long.parseLong(time[0]), Long.parseLong(time[1])))
        .isBetween(before, Instant.now());
  }

  @Test
  void holdsEveryFrameWhenTheSegmentsAreClosedFirst() throws Exception {
    Path file = directory.resolve("lan.pcapng");
    Segment lan = segments.get(LAN);
    Capture capture = lan.capture(file);
    Station station = lan.attach("a", frame -> {});
    for (int i = 0; i < 10_000; i++) {
      station.send(frame(MacAddress.BROADCAST, A, "frame " + i));
    }
    segments.close();
    capture.close();
    capture.close();
    assertThat(tshark("-r", file.toString(), "-T", "fields", "-e", "frame.len"))
        .hasSize(10_000)
        .last()
        .isEqualTo("24");
  }

  @Test
  void isReadWhileItGrowsAndNobodyFlushesIt() throws Exception {
    requireTshark();
    Path file = directory.resolve("lan.pcapng");
    Segment lan = segments.get(LAN);
    Station station = lan.attach("ann", frame -> {});
    try (Capture capture = lan.capture(file)) {
      String follow = "tail -c +1 -f '%s' | tshark -l -i - -T fields -e frame.comment -e data.text";
      Process process =
          new ProcessBuilder("sh", "-c", follow.formatted(file) + " -o data.show_as_text:TRUE")
              .redirectError(directory.resolve("errors").toFile())
              .start();
      try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
        for (String text : new String[] {"first", "second", "third"}) {
          station.send(frame(MacAddress.BROADCAST, A, text));
          assertThat(lines.readLine())
              .as(Files.readString(directory.resolve("errors")))
              .startsWith("from ann")
              .contains(text);
        }
      } finally {
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
      }
      assertThat(capture.packets()).isEqualTo(3);
    }
  }

  @Test
  void stopsWhenItIsClosedWhileTheSegmentGoesOn() throws Exception {
    Path file = directory.resolve("lan.pcapng");
    Segment lan = segments.get(LAN);
    Frames heard = new Frames();
    lan.attach("b", heard);
    Station station = lan.attach("a", frame -> {});
    try (Capture capture = lan.capture(file)) {
      station.send(frame(MacAddress.BROADCAST, A, "seen"));
      assertThat(heard.next()).isEqualTo("seen");
    }
    station.send(frame(MacAddress.BROADCAST, A, "unseen"));
    assertThat(heard.next()).isEqualTo("unseen");
    assertThat(tshark("-r", file.toString())).hasSize(1);
  }

  @Test
  void saysThatTheFileCannotBeMade() {
    Path file = directory.resolve("missing/lan.pcapng");
    assertThatThrownBy(() -> segments.get(LAN).capture(file))
        .isInstanceOf(NetworkException.class)
        .hasMessageContainingAll("lan", file.toString(), "directory must exist");
  }

  @Test
  void saysInEachPacketsCommentWhatADamagedCableDidToIt() throws Exception {
    Path file = directory.resolve("lan.pcapng");
    Segment lan = segments.get(LAN);
    Frames heard = new Frames();
    lan.attach("b", heard);
    Station station = lan.attach("a", frame -> {});
    lan.cable("a").fromStation().impair(Impairment.none().duplicate(1));
    lan.cable("b").toStation().impair(Impairment.none().mtu(5));
    try (Capture capture = lan.capture(file)) {
      station.send(frame(MacAddress.BROADCAST, A, "too long"));
      station.send(frame(MacAddress.BROADCAST, A, "short"));
      assertThat(heard.next()).isEqualTo("short");
      assertThat(heard.next()).isEqualTo("short");
    }
    assertThat(tshark("-r", file.toString(), "-T", "fields", "-e", "frame.comment"))
        .containsExactly(
            "from a; duplicated; to b: lost: 8 bytes, more than 5",
            "from a; the duplicate; to b: lost: 8 bytes, more than 5",
            "from a; duplicated",
            "from a; the duplicate");
  }

  @Test
  void holdsOnlyWhatIsWanted() throws Exception {
    Path file = directory.resolve("lan.pcapng");
    Segment lan = segments.get(LAN);
    EthernetHostBuilder ann = EthernetHost.on(LAN).name("ann").address("10.0.0.1/24");
    EthernetHost a = ann.withoutIpv6().start(segments);
    EthernetHost.on(LAN).name("bob").address("10.0.0.2/24").withoutIpv6().start(segments);
    try (Capture capture = lan.capture(file, frame -> frame.icmp().isPresent())) {
      a.ping("10.0.0.2", Duration.ofSeconds(10));
      assertThat(capture.packets()).isEqualTo(2);
    }
    assertThat(tshark("-r", file.toString(), "-T", "fields", "-e", "_ws.col.Protocol"))
        .containsExactly("ICMP", "ICMP");
  }
}
