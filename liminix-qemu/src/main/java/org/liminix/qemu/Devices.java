package org.liminix.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Plug;
import org.liminix.net.Segments;
import org.liminix.process.RunDirectory;

/** What comes to a machine while it runs. Thread-safe. */
final class Devices {
  private final VmSpec spec;
  private final Segments segments;
  private final RunDirectory directory;
  private final Qmp qmp;
  private final Deque<AutoCloseable> resources; // guarded by this
  private final Deque<String> freeSlots = new ArrayDeque<>(); // guarded by this
  private int count; // guarded by this

  Devices(
      VmSpec spec,
      Segments segments,
      RunDirectory directory,
      Qmp qmp,
      Deque<AutoCloseable> resources) {
    this.spec = spec;
    this.segments = segments;
    this.directory = directory;
    this.qmp = qmp;
    this.resources = resources;
    for (int slot = 0; slot < spec.hotplugSlots(); slot++) {
      freeSlots.add("slot" + slot);
    }
  }

  Link link(Network network) {
    int index = spec.networks().indexOf(network);
    if (index < 0) {
      throw new IllegalArgumentException(
          "%s has no card on %s; its cards are on %s"
              .formatted(spec.name(), network, spec.networks()));
    }
    return new Link(qmp, "net" + index, network.name());
  }

  synchronized Hotplugged usbStorage(Path image) {
    if (!spec.usb()) {
      throw new IllegalStateException(
          spec.name() + " has no USB to plug into: add usb() to its description");
    }
    String id = nextId("usb");
    String node = addOverlay(id, image);
    return add(
        id,
        Map.of("driver", "usb-storage", "bus", spec.machine().usbBus(), "drive", node),
        () -> remove("blockdev-del", Map.of("node-name", node)));
  }

  synchronized Hotplugged disk(Path image) {
    String slot = takeSlot();
    String id = nextId("hot-disk");
    String node;
    try {
      node = addOverlay(id, image);
    } catch (RuntimeException e) {
      giveBack(slot);
      throw e;
    }
    return add(
        id,
        Map.of("driver", spec.machine().diskDevice(), "bus", slot, "drive", node),
        () -> {
          remove("blockdev-del", Map.of("node-name", node));
          giveBack(slot);
        });
  }

  synchronized Hotplugged network(Network network) {
    String slot = takeSlot();
    String id = nextId("hot-net");
    Plug plug = segments.get(network).plug(spec.name(), directory.socket(id));
    resources.push(plug);
    MacAddress address =
        plug instanceof Plug.Multicast
            ? MacAddress.random()
            : VmStarter.stableAddress(
                VmStarter.identityOf(directory), spec.networks().size() + count);
    String netdev = id + "-dev";
    Runnable release =
        () -> {
          remove("netdev_del", Map.of("id", netdev));
          plug.close();
          giveBack(slot);
        };
    try {
      qmp.execute("netdev_add", netdev(netdev, plug));
    } catch (RuntimeException e) {
      plug.close();
      giveBack(slot);
      throw e;
    }
    return add(
        id,
        Map.of(
            "driver",
            spec.machine().networkDevice(),
            "bus",
            slot,
            "netdev",
            netdev,
            "mac",
            address.toString(),
            "romfile",
            ""),
        release);
  }

  private static Map<String, Object> netdev(String id, Plug plug) {
    if (plug instanceof Plug.Multicast multicast) {
      return Map.of(
          "type",
          "socket",
          "id",
          id,
          "mcast",
          multicast.group().getAddress().getHostAddress() + ":" + multicast.group().getPort(),
          "localaddr",
          multicast.localAddress().getHostAddress());
    }
    String socket = ((Plug.Stream) plug).socket().toString();
    return Map.of(
        "type",
        "stream",
        "id",
        id,
        "server",
        false,
        "addr",
        Map.of("type", "unix", "path", socket));
  }

  private Hotplugged add(String id, Map<String, ?> device, Runnable release) {
    Map<String, Object> arguments = new HashMap<>(device);
    arguments.put("id", id);
    try {
      qmp.execute("device_add", arguments);
    } catch (RuntimeException e) {
      release.run();
      throw e;
    }
    return new Hotplugged(qmp, id, release);
  }

  /** What follows a device that is gone; QEMU may have gone, too. */
  private void remove(String command, Map<String, ?> arguments) {
    try {
      qmp.execute(command, arguments);
    } catch (QmpException e) {
      if (e.kind() != QmpException.Kind.DISCONNECTED) {
        throw e;
      }
    }
  }

  private String addOverlay(String id, Path image) {
    Path overlay = directory.file(id + ".qcow2");
    try {
      if (!Files.isRegularFile(image)) {
        throw new VmException("There is no image " + image + " to plug into " + spec.name());
      }
      Qcow2.overlay(overlay, image);
    } catch (IOException e) {
      throw new VmException("Cannot make a copy-on-write image of " + image + ": " + e, e);
    }
    qmp.execute(
        "blockdev-add",
        Map.of(
            "driver",
            "qcow2",
            "node-name",
            id + "-node",
            "file",
            Map.of("driver", "file", "filename", overlay.toString())));
    return id + "-node";
  }

  private String nextId(String kind) {
    return kind + count++;
  }

  private String takeSlot() {
    if (freeSlots.isEmpty()) {
      throw new IllegalStateException(
          "%s has no free slot: it has %d, set by hotplug(...)"
              .formatted(spec.name(), spec.hotplugSlots()));
    }
    return freeSlots.remove();
  }

  private synchronized void giveBack(String slot) {
    freeSlots.add(slot);
  }
}
