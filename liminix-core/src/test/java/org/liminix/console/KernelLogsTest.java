package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What real guests said on their consoles until they had failed. The README beside the logs tells
 * how each was made.
 */
@Timeout(120)
class KernelLogsTest {
  private static final Duration LONG = Duration.ofSeconds(50);

  /** A failure that a log reports, and in which of its lines. */
  private record Failure(int line, KernelFailure what, String text) {}

  private record Log(String name, List<Failure> failures) {
    byte[] bytes() throws IOException {
      return resource(name);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = KernelLogsTest.class.getResourceAsStream("kernel/" + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }

  /** The logs of failures.txt, and which of their lines report a failure: the others do not. */
  static List<Log> logs() throws IOException {
    List<Log> logs = new ArrayList<>();
    for (String row :
        new String(resource("failures.txt"), StandardCharsets.UTF_8).lines().toList()) {
      if (row.startsWith("  ")) {
        String[] words = row.strip().split(" ", 3);
        logs.get(logs.size() - 1)
            .failures()
            .add(
                new Failure(Integer.parseInt(words[0]), KernelFailure.valueOf(words[1]), words[2]));
      } else {
        logs.add(new Log(row, new ArrayList<>()));
      }
    }
    return logs;
  }

  @ParameterizedTest
  @MethodSource("logs")
  void reportsAFailureAsSoonAsItsLineEnds(Log log) throws IOException {
    assertThat(replay(log.bytes(), () -> 1))
        .usingRecursiveFieldByFieldElementComparator()
        .isEqualTo(log.failures());
  }

  @ParameterizedTest
  @MethodSource("logs")
  void reportsTheSameInWhateverPiecesTheyCome(Log log) throws IOException {
    Random random = new Random(log.name().hashCode());
    List<IntSupplier> sizes = new ArrayList<>();
    sizes.add(() -> Integer.MAX_VALUE);
    for (int most = 2; most < 10_000; most *= 3) {
      int bound = most;
      sizes.add(() -> 1 + random.nextInt(bound));
    }
    for (IntSupplier size : sizes) {
      assertThat(replay(log.bytes(), size))
          .usingRecursiveFieldByFieldElementComparatorIgnoringFields("line")
          .isEqualTo(log.failures());
    }
  }

  @ParameterizedTest
  @MethodSource("logs")
  void endsAWaitWithTheFirst(Log log) throws IOException {
    try (Console console = open(log.bytes())) {
      Failure first = log.failures().get(0);
      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> console.expect("never said", LONG))
          .withMessageContaining("\"never said\"")
          .withMessageContaining(first.text())
          .satisfies(e -> assertThat(e.failure()).isEqualTo(first.what()))
          .satisfies(e -> assertThat(e.lines()).last().asString().contains(first.text()));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "healthy-mips.log",
        "healthy-mipsel.log",
        "healthy-arm.log",
        "healthy-aarch64.log",
        "healthy-x86_64.log",
        "rebooting-mipsel.log"
      })
  void isNotAlarmedByAHealthyGuest(String name) throws IOException {
    byte[] bytes = new Log(name, List.of()).bytes();
    assertThat(replay(bytes, () -> 1)).isEmpty();
    try (Console console = open(bytes)) {
      assertThatExceptionOfType(ConsoleClosedException.class)
          .isThrownBy(() -> console.expect("never said", LONG));
    }
  }

  /** What is reported when pieces of such sizes come, with the number of the line before. */
  private static List<Failure> replay(byte[] bytes, IntSupplier sizes) {
    TerminalDecoder decoder = new TerminalDecoder();
    KernelMonitor monitor = new KernelMonitor(EnumSet.allOf(KernelFailure.class), System::nanoTime);
    Lanes lanes = new Lanes(monitor);
    List<Failure> reported = new ArrayList<>();
    int line = 0;
    for (int from = 0, to; from < bytes.length; from = to) {
      to = from + Math.min(sizes.getAsInt(), bytes.length - from);
      int count = decoder.decode(ByteBuffer.wrap(bytes, from, to - from));
      lanes.append(decoder.output(), count);
      for (int i = from; i < to; i++) {
        line += bytes[i] == '\n' ? 1 : 0;
      }
      for (Optional<KernelMonitor.Report> report = monitor.take(Integer.MAX_VALUE);
          report.isPresent();
          report = monitor.take(Integer.MAX_VALUE)) {
        List<String> lines = report.get().lines();
        String last = KernelPrefix.strip(lines.get(lines.size() - 1)).toString();
        reported.add(new Failure(line, report.get().failure(), last));
      }
    }
    return reported;
  }

  private static Console open(byte[] said) {
    return Console.over(new Recording(ByteBuffer.wrap(said)))
        .name("guest")
        .failOn(EnumSet.allOf(KernelFailure.class))
        .open();
  }

  /** What has been said and ends then. */
  private record Recording(ByteBuffer said) implements ByteChannel {
    @Override
    public int read(ByteBuffer target) {
      if (!said.hasRemaining()) {
        return -1;
      }
      int count = Math.min(said.remaining(), target.remaining());
      target.put(said.slice(said.position(), count));
      said.position(said.position() + count);
      return count;
    }

    @Override
    public int write(ByteBuffer source) {
      int count = source.remaining();
      source.position(source.limit());
      return count;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }
}
