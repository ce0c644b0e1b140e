package org.liminix.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.channels.ByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.liminix.console.Console;
import org.liminix.console.SerialDevice;
import org.liminix.net.EthernetHost;
import org.liminix.net.Plug;
import org.liminix.net.Segments;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.UnixSocket;
import org.liminix.tftp.TftpServer;

/**
 * A board with Debian's U-Boot in a QEMU, and a TFTP server on the segment it is plugged into: the
 * board is 10.0.0.8, the server 10.0.0.1.
 */
final class UBootBoard implements AutoCloseable {
  private static final int MALTA_FLASH = 4 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final List<AutoCloseable> parts = new ArrayList<>();
  private final Console console;
  private final Console monitor;
  private final EthernetHost host;
  private final TftpServer tftp;

  /** Starts a machine whose command line begins with these words. */
  UBootBoard(Path tftpRoot, boolean pty, String networkDevice, List<String> machine)
      throws IOException {
    RunDirectory directory = opened(RunDirectory.create("u-boot"));
    Segments segments = opened(Segments.isolated());
    host = opened(EthernetHost.on(LAN).address("10.0.0.1/24").start(segments));
    tftp = opened(TftpServer.allow("10.0.0.8").root(tftpRoot).on(host).start());
    Plug.Stream plug =
        (Plug.Stream) opened(segments.get(LAN).plug("board", directory.socket("lan")));
    UnixSocket.Listener serial = opened(UnixSocket.listen(directory.socket("console")));
    UnixSocket.Listener control = opened(UnixSocket.listen(directory.socket("monitor")));
    List<String> command = new ArrayList<>(machine);
    command.addAll(List.of("-accel", "tcg", "-nodefaults", "-vga", "none", "-display", "none"));
    command.addAll(
        List.of("-chardev", pty ? "pty,id=serial" : "socket,id=serial,path=" + serial.path()));
    command.addAll(List.of("-serial", "chardev:serial"));
    command.addAll(List.of("-monitor", "unix:" + control.path()));
    command.addAll(
        List.of(
            "-netdev",
            "stream,id=lan,server=off,addr.type=unix,addr.path=" + plug.socket(),
            "-device",
            networkDevice + ",romfile=,netdev=lan"));
    opened(SupervisedProcess.of(command).directory(directory).start());
    Deadline deadline = Deadline.after(PATIENCE);
    monitor = opened(Console.over(control.accept(deadline)).name("monitor").open());
    ByteChannel line = pty ? opened(terminal()) : serial.accept(deadline);
    console = opened(Console.over(line).name("u-boot").open());
  }

  /** The pseudo-terminal that QEMU says it has made. */
  private SerialDevice terminal() {
    monitor.expect("(qemu)", PATIENCE);
    monitor.sendLine("info chardev");
    String path = monitor.expect(Pattern.compile("serial: filename=pty:(\\S+)"), PATIENCE).group(1);
    return SerialDevice.at(path).baudRate(115200).timeout(PATIENCE).open();
  }

  /** Presses the button as soon as a line comes from the board that says just this. */
  void pressResetAt(String line) {
    opened(
        console.follow(
            said -> {
              if (said.text().equals(line)) {
                pressReset();
              }
            }));
  }

  void pressReset() {
    monitor.sendLine("system_reset");
  }

  /** A little-endian Malta with U-Boot in its flash; its serial line may be a pseudo-terminal. */
  static UBootBoard malta(Path flash, boolean pty, Path tftpRoot) throws IOException {
    return new UBootBoard(
        tftpRoot,
        pty,
        "pcnet",
        List.of(
            "qemu-system-mipsel",
            "-M",
            "malta",
            "-m",
            "256",
            "-drive",
            "if=pflash,format=raw,file=" + flash));
  }

  /** QEMU's virt; its serial line is a pseudo-terminal on request. */
  static UBootBoard virt(List<String> machine, boolean pty, Path tftpRoot) throws IOException {
    return new UBootBoard(tftpRoot, pty, "virtio-net-pci", machine);
  }

  /** Debian's Malta U-Boot, as QEMU keeps it: words swapped, the rest of the flash erased. */
  static byte[] maltaFlash() throws IOException {
    byte[] uboot = Files.readAllBytes(firmware("maltael"));
    byte[] flash = new byte[MALTA_FLASH];
    Arrays.fill(flash, (byte) 0xff);
    for (int i = 0; i < uboot.length; i++) {
      flash[i ^ 3] = uboot[i];
    }
    return flash;
  }

  static Path firmware(String board) {
    Path file = Path.of("/usr/lib/u-boot", board, "u-boot.bin");
    assumeTrue(Files.exists(file), file + " is missing; apt-get install u-boot-qemu");
    return file;
  }

  private <T extends AutoCloseable> T opened(T part) {
    parts.add(0, part);
    return part;
  }

  Console console() {
    return console;
  }

  /** 10.0.0.1. */
  EthernetHost host() {
    return host;
  }

  TftpServer tftp() {
    return tftp;
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable part : parts) {
      part.close();
    }
  }
}
