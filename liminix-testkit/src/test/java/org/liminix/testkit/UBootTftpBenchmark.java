package org.liminix.testkit;

import com.google.common.collect.LinkedListMultimap;
import com.google.common.collect.ListMultimap;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.liminix.tftp.TftpTransfer;
import org.liminix.uboot.ImageData;
import org.liminix.uboot.UBoot;

/**
 * How fast a real U-Boot loads an image over a segment: with the largest window that each of two
 * network cards bears, and in lock-step. Loads 16 MiB a number of times (argument; 5 unless given),
 * compares checksums, and prints medians and ranges in MB/s.
 *
 * <pre>scripts/java testkit org.liminix.testkit.UBootTftpBenchmark [rounds]</pre>
 */
final class UBootTftpBenchmark {
  private static final String IMAGE = "uImage";
  private static final long LOAD_ADDRESS = 0x4200_0000;
  private static final double MB = 1e6;

  private UBootTftpBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    int rounds = arguments.length == 0 ? 5 : Integer.parseInt(arguments[0]);
    byte[] image = new byte[16 << 20];
    new Random(1).nextBytes(image);
    Path folder = Files.createTempDirectory("u-boot-bench");
    try {
      Files.write(folder.resolve(IMAGE), image);
      ListMultimap<String, Double> rates = LinkedListMultimap.create();
      measure("virtio-net-pci", 16, rounds, folder, ImageData.of(image), rates);
      measure("e1000", 8, rounds, folder, ImageData.of(image), rates);
      for (String row : rates.keySet()) {
        double[] sorted = rates.get(row).stream().mapToDouble(rate -> rate).sorted().toArray();
        System.out.printf(
            Locale.ROOT,
            "%-26s median %6.1f MB/s, %6.1f to %6.1f%n",
            row,
            sorted[rounds / 2],
            sorted[0],
            sorted[rounds - 1]);
      }
    } finally {
      Files.deleteIfExists(folder.resolve(IMAGE));
      Files.deleteIfExists(folder);
    }
  }

  /** Both windows in turn, so that a busy machine slows both. */
  private static void measure(
      String card,
      int window,
      int rounds,
      Path folder,
      ImageData image,
      ListMultimap<String, Double> rates)
      throws Exception {
    try (UBootBoard board =
        new UBootBoard(
            folder,
            false,
            card,
            List.of(
                "qemu-system-aarch64",
                "-M",
                "virt",
                "-cpu",
                "cortex-a57",
                "-m",
                "256",
                "-bios",
                UBootBoard.firmware("qemu_arm64").toString()))) {
      UBoot uboot = UBoot.on(board.console()).timeout(Duration.ofMinutes(2)).open();
      uboot.setenv("ipaddr", "10.0.0.8");
      uboot.setenv("serverip", "10.0.0.1");
      for (int round = 0; round < rounds; round++) {
        for (int blocks : new int[] {window, 1}) {
          uboot.setenv("tftpwindowsize", Integer.toString(blocks));
          uboot.tftp(LOAD_ADDRESS, IMAGE, image);
          TftpTransfer transfer = board.tftp().awaitTransfer(IMAGE, Duration.ofMinutes(1));
          if (transfer.window() != blocks) {
            System.out.println("Granted less, since it lost packets before: " + transfer);
          }
          rates.put(
              "U-Boot, %s, window %d".formatted(card.replace("-net-pci", ""), blocks),
              transfer.bytesPerSecond() / MB);
        }
      }
    }
  }
}
