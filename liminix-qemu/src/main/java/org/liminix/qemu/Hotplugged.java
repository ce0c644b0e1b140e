package org.liminix.qemu;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A device that was plugged into a running machine.
 *
 * <pre>{@code
 * Hotplugged stick = vm.plugUsbStorage(image);
 * vm.console().expect("Attached SCSI removable disk");
 * stick.unplug(Duration.ofSeconds(10));
 * }</pre>
 *
 * <p>Thread-safe. It need not be unplugged before the machine is closed.
 */
public final class Hotplugged {
  private final Qmp qmp;
  private final String id;
  private final Runnable release;
  private final AtomicBoolean gone = new AtomicBoolean();

  Hotplugged(Qmp qmp, String id, Runnable release) {
    this.qmp = qmp;
    this.id = id;
    this.release = release;
  }

  /** The id by which QEMU knows it. */
  public String id() {
    return id;
  }

  /**
   * Pulls it out and waits until it is gone: at once for USB, once the guest has let go of it for
   * PCI. Idempotent.
   *
   * @throws org.liminix.process.WaitTimeoutException if the guest does not let go of it in time
   */
  public void unplug(Duration timeout) {
    if (gone.get()) {
      return;
    }
    try (QmpEvents events = qmp.events()) {
      qmp.execute("device_del", Map.of("id", id));
      QmpEvent event;
      do {
        event = events.await("DEVICE_DELETED", timeout);
      } while (!event.data().has("device") || !event.data().get("device").getAsString().equals(id));
    }
    if (gone.compareAndSet(false, true)) {
      release.run();
    }
  }

  @Override
  public String toString() {
    return "Hotplugged[" + id + "]";
  }
}
