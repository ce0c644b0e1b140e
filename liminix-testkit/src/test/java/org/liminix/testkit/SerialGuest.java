package org.liminix.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.liminix.process.Deadline;

/** A guest in a QEMU started by a bare command line, with its serial line on standard input. */
final class SerialGuest implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final Process qemu;
  private final Thread reader;
  private final Lock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final StringBuilder transcript = new StringBuilder();
  private boolean ended;
  private int consumed;

  private SerialGuest(Process qemu) {
    this.qemu = qemu;
    this.reader = new Thread(this::read, "serial line");
    reader.setDaemon(true);
    reader.start();
  }

  /** Boots an image on a Malta board with two network cards, the second recorded in a file. */
  static SerialGuest malta(RouterImage image, Path capture) throws IOException {
    long mebibytes = Files.size(image.rootfs()) / (16 << 20) * 16 + 16;
    List<String> command = new ArrayList<>();
    command.addAll(List.of("qemu-system-mipsel", "-M", "malta", "-cpu", "24Kc", "-accel", "tcg"));
    command.addAll(List.of("-m", String.valueOf(256 + mebibytes), "-no-reboot"));
    command.addAll(List.of("-nodefaults", "-vga", "none", "-nographic", "-serial", "stdio"));
    command.addAll(List.of("-kernel", image.kernel().toString()));
    command.addAll(List.of("-initrd", image.initrd().toString()));
    command.addAll(
        List.of("-device", "loader,addr=0x90000000,force-raw=on,file=" + image.rootfs()));
    for (String network : new String[] {"lan", "access"}) {
      command.addAll(List.of("-netdev", "user,restrict=on,id=" + network));
      command.addAll(List.of("-device", "virtio-net-pci,romfile=,netdev=" + network));
    }
    command.addAll(List.of("-object", "filter-dump,id=capture,netdev=access,file=" + capture));
    command.addAll(
        List.of(
            "-append",
            "console=ttyS0 mem=256M root=/dev/mtdblock0 phram.phram=phram0,0x90000000,"
                + mebibytes
                + "Mi,65536 "
                + image.commandLine()));
    return new SerialGuest(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  /** Waits for a text behind what was awaited before, and gives what came until its end. */
  String await(String text) throws InterruptedException {
    Deadline deadline = Deadline.after(PATIENCE);
    lock.lock();
    try {
      while (true) {
        int at = transcript.indexOf(text, consumed);
        if (at >= 0) {
          String seen = transcript.substring(consumed, at + text.length());
          consumed = at + text.length();
          return seen;
        }
        if (ended || !deadline.await(changed)) {
          throw new AssertionError("No \"" + text + "\" on the console:\n" + transcript);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** The output of a command. */
  String run(String command) throws Exception {
    // The quotes keep the echo of the command line from looking like the end of the output.
    qemu.getOutputStream()
        .write((command + "; echo \"sta\"tus=$?.\n").getBytes(StandardCharsets.UTF_8));
    qemu.getOutputStream().flush();
    await("\n");
    String output = await("status=");
    await(".");
    return output;
  }

  private void read() {
    byte[] buffer = new byte[8192];
    try (InputStream in = qemu.getInputStream()) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        append(new String(buffer, 0, n, StandardCharsets.UTF_8), false);
      }
    } catch (IOException e) {
      // QEMU was killed.
    }
    append("", true);
  }

  private void append(String text, boolean last) {
    lock.lock();
    try {
      transcript.append(text);
      ended |= last;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    qemu.destroyForcibly();
    try {
      qemu.waitFor(10, TimeUnit.SECONDS);
      reader.join(TimeUnit.SECONDS.toMillis(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
