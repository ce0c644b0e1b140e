package org.liminix.testkit.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** The lines a person would see at {@code System.err}. */
public final class StandardError implements AutoCloseable {
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
  private final PrintStream before = System.err;

  private StandardError() {}

  public static StandardError capture() {
    StandardError captured = new StandardError();
    System.setErr(new PrintStream(captured.new Lines(), true, StandardCharsets.UTF_8));
    return captured;
  }

  /** The next line that contains that text. */
  public String line(String text) throws InterruptedException {
    String line;
    do {
      line = lines.take();
    } while (!line.contains(text));
    return line;
  }

  /** Pastes the next line that contains that text into a shell. */
  public void runLine(String text) throws IOException, InterruptedException {
    Process process = new ProcessBuilder("/bin/sh", "-c", line(text)).inheritIO().start();
    assertThat(process.waitFor()).isZero();
  }

  @Override
  public void close() {
    System.setErr(before);
  }

  private final class Lines extends OutputStream {
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    @Override
    public synchronized void write(int b) {
      if (b == '\n') {
        lines.add(line.toString(StandardCharsets.UTF_8));
        line.reset();
      } else {
        line.write(b);
      }
    }
  }
}
