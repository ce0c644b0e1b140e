package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.tftp.SilenceBehaviourTest.completing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How what is shown gets to whoever watches. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class ProgressReportTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private List<String> lines() {
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private static PrintStream stream(OutputStream to) {
    return new PrintStream(to, true, StandardCharsets.UTF_8);
  }

  @Test
  void printsOnlyLinesWhereThereIsNoTerminal(@TempDir Path root) {
    try (ProgressReport report = new ProgressReport(stream(bytes), false);
        Bench bench = new Bench(root, b -> b.listener(report))) {
      bench.put("file", 2000);
      bench.client.read("none").receive().isError(1);
      bench.client.fetch("file");
      bench.server.awaitTransfer("file", Duration.ofSeconds(20));
    }
    assertThat(lines()).hasSize(2);
    assertThat(lines().get(0)).isEqualTo("127.0.0.1 reads none: refused: none not found");
    assertThat(lines().get(1)).startsWith("127.0.0.1 reads file: 2.0 KiB in ");
  }

  @Test
  void holdsUpNobodyWhileNobodyTakesWhatIsPrinted(@TempDir Path root) throws Exception {
    CountDownLatch stopped = new CountDownLatch(1);
    CountDownLatch goesOn = new CountDownLatch(1);
    CompletableFuture<TftpTransfer> ended = new CompletableFuture<>();
    OutputStream terminal =
        new OutputStream() {
          @Override
          public void write(int b) {
            bytes.write(b);
          }

          @Override
          public void write(byte[] text, int offset, int length) throws IOException {
            stopped.countDown();
            try {
              goesOn.await();
            } catch (InterruptedException e) {
              throw new IOException(e);
            }
            bytes.write(text, offset, length);
          }
        };
    try (ProgressReport report = new ProgressReport(stream(terminal), false);
        Bench bench = new Bench(root, b -> b.listener(report).listener(completing(ended)))) {
      byte[] content = bench.put("file", 2000);
      report.say("first");
      stopped.await();
      for (int i = 0; i < ProgressReport.MOST_LINES + 4; i++) {
        report.say("line " + i);
      }
      assertThat(bench.client.fetch("file")).isEqualTo(content);
      assertThat(ended.get(20, TimeUnit.SECONDS).bytes()).isEqualTo(2000);
      goesOn.countDown();
    }
    assertThat(lines())
        .startsWith("first", "(5 lines before these were not taken in time)", "line 5")
        .hasSize(2 + ProgressReport.MOST_LINES);
    assertThat(lines().get(lines().size() - 1)).startsWith("127.0.0.1 reads file: 2.0 KiB in ");
  }
}
