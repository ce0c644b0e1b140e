package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.liminix.process.UnixSocket;

/** A program that attaches a terminal from code. */
final class AttachedProgram {
  private AttachedProgram() {}

  /**
   * Without an argument attaches its terminal to an {@link EchoChannel}; with one, has the console
   * behind that socket attach one.
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length == 0) {
      System.out.println("pid " + ProcessHandle.current().pid() + ".");
      System.out.println("departed: " + Attachment.to("echo", EchoChannel::new).run());
      return;
    }
    System.setErr(System.out);
    try (Console console =
        Console.over(UnixSocket.connect(Path.of(arguments[0]))).name("board").open()) {
      System.out.println("departed: " + console.attach());
    }
  }

  /** Says in turn what is typed and how large the terminal is. */
  private static final class EchoChannel implements TerminalChannel {
    private final BlockingQueue<byte[]> said = new LinkedBlockingQueue<>();

    @Override
    public int read(ByteBuffer buffer) throws IOException {
      try {
        byte[] bytes = said.take();
        buffer.put(bytes);
        return bytes.length == 0 ? -1 : bytes.length;
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }

    @Override
    public int write(ByteBuffer buffer) {
      byte[] typed = new byte[buffer.remaining()];
      buffer.get(typed);
      said.add(typed);
      return typed.length;
    }

    @Override
    public void resize(int rows, int columns) {
      said.add(("size " + rows + "x" + columns + ".").getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {
      said.add(new byte[0]);
    }
  }
}
