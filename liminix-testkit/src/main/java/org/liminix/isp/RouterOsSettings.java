package org.liminix.isp;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.SharedStart;
import org.liminix.qemu.Accelerator;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmException;

/**
 * An immutable description of an ISP made of RouterOS.
 *
 * @param image the disk
 * @param terms those that it has in common with the embedded one
 * @param timeout for RouterOS to start, and then to serve
 */
record RouterOsSettings(Path image, IspSettings terms, Duration timeout) implements Spec<RouterOs> {

  /** As Liminix has it. */
  private static final int MEBIBYTES = 1024;

  private static final String ADVICE =
      "RouterOS is not part of this library: MikroTik's download page has it under \"Cloud Hosted"
          + " Router\" as \"Raw disk image\", to be unpacked. Whether its licence allows your use is"
          + " for you to see to.";

  @Override
  public RouterOs start(Segments segments) {
    return start(segments, () -> {});
  }

  @Override
  public RouterOs start() {
    return SharedStart.of(this::start);
  }

  private RouterOs start(Segments segments, Runnable onClose) {
    requireImage();
    Vm vm =
        Vm.x86_64()
            .name("routeros")
            .memory(MEBIBYTES)
            .disk(image) // what it writes goes into an overlay of this run
            .network(terms.access(), terms.world())
            .guestAgent()
            .qemuArgument("-global", "virtio-net-pci.disable-legacy=on")
            .timeout(timeout)
            .spec()
            .start(segments);
    try {
      requireKvm(vm);
      RouterOsAgent agent = new RouterOsAgent(vm.agent()::execute);
      return RouterOs.configure(terms, timeout, agent, segments, vm, vm, onClose);
    } catch (RuntimeException | Error e) {
      vm.close();
      throw e;
    }
  }

  private void requireImage() {
    if (!Files.isRegularFile(image)) {
      throw new VmException("There is no disk of RouterOS at " + image + ". " + ADVICE);
    }
    if (image.toString().endsWith(".zip")) {
      throw new VmException(image + " is packed; unpack it. " + ADVICE);
    }
  }

  private static void requireKvm(Vm vm) {
    if (vm.acceleration().accelerator() != Accelerator.KVM) {
      throw new VmException(
          "RouterOS starts its guest agent, by which it is configured, on KVM only, and "
              + vm.name()
              + " would run with "
              + vm.acceleration());
    }
  }
}
