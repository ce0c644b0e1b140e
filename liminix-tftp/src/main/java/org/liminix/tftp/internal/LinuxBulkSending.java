package org.liminix.tftp.internal;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Linux's two ways. With {@code UDP_SEGMENT} (udp(7), since 4.18) the kernel carries a run as one
 * packet and cuts it at the last moment; where that is not wanted or does not work, {@code
 * sendmmsg} saves at least the system calls. Java has neither and hides the descriptor, so the
 * socket is looked up among this process's own by its two addresses.
 */
public final class LinuxBulkSending implements BulkSending {
  private static final Logger log = LoggerFactory.getLogger(LinuxBulkSending.class);

  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  private final boolean segmenting;
  private volatile @Nullable SocketCalls calls;
  private boolean prepared;

  /** Uses the first way where it works if {@code segmenting}, otherwise the second. */
  public LinuxBulkSending(boolean segmenting) {
    this.segmenting = segmenting;
  }

  @Override
  public synchronized void prepare() {
    if (prepared) {
      return;
    }
    prepared = true;
    try {
      if (Files.isDirectory(DESCRIPTORS)) {
        calls = new SocketCalls();
        log.info(
            segmenting
                ? "Windows are sent with UDP_SEGMENT: the kernel cuts them into packets"
                : "Windows are sent with sendmmsg: their packets go to the kernel in one call");
        return;
      }
    } catch (LinkageError | RuntimeException e) {
      log.debug("No native calls", e);
    }
    log.info(
        "Packets are sent one by one: UDP_SEGMENT and sendmmsg need 64-bit Linux and jffi on the"
            + " class path");
  }

  @Override
  public @Nullable Outlet of(DatagramChannel channel) {
    SocketCalls c = calls;
    if (c == null) {
      return null;
    }
    try {
      int descriptor = find(c, channel);
      return descriptor < 0 ? null : new Descriptor(c, channel, descriptor, segmenting);
    } catch (IOException | RuntimeException e) {
      log.debug("The descriptor of {} cannot be found", channel, e);
      return null;
    }
  }

  /** The descriptor of a connected channel, or -1. */
  private static int find(SocketCalls calls, DatagramChannel channel) throws IOException {
    InetSocketAddress own = (InetSocketAddress) channel.getLocalAddress();
    InetSocketAddress peer = (InetSocketAddress) channel.getRemoteAddress();
    try (DirectoryStream<Path> open = Files.newDirectoryStream(DESCRIPTORS)) {
      for (Path entry : open) {
        int descriptor = Integer.parseInt(String.valueOf(entry.getFileName()));
        if (calls.connects(descriptor, own, peer)) {
          return descriptor;
        }
      }
    }
    return -1;
  }

  /** One channel's socket. */
  private static final class Descriptor implements Outlet {
    private final SocketCalls calls;
    private final DatagramChannel channel;
    private final int descriptor;
    private boolean segmenting;
    private int segmentSize; // what the kernel was told, 0 if nothing

    Descriptor(SocketCalls calls, DatagramChannel channel, int descriptor, boolean segmenting) {
      this.calls = calls;
      this.channel = channel;
      this.descriptor = descriptor;
      this.segmenting = segmenting;
    }

    @Override
    public boolean send(ByteBuffer packets, int size) throws IOException {
      if (segmenting) {
        try {
          if (cutsInto(size)) {
            return channel.write(packets) > 0;
          }
          log.info("UDP_SEGMENT cannot be set; sending with sendmmsg");
        } catch (PortUnreachableException | ClosedChannelException e) {
          throw e;
        } catch (IOException e) {
          // Packets larger than the path's frames, for one, are not made this way.
          log.info(
              "UDP_SEGMENT does not work to {}; sending with sendmmsg", channel.getRemoteAddress());
          log.debug("Sending with UDP_SEGMENT", e);
          cutsInto(0);
        }
        segmenting = false;
      }
      return sendMessages(packets, size);
    }

    private boolean cutsInto(int size) {
      if (segmentSize != size
          && calls.setOption(descriptor, SocketCalls.SOL_UDP, SocketCalls.UDP_SEGMENT, size)) {
        segmentSize = size;
      }
      return segmentSize == size;
    }

    private boolean sendMessages(ByteBuffer packets, int size) throws IOException {
      while (packets.hasRemaining()) {
        if (!channel.isOpen()) {
          throw new ClosedChannelException(); // the number may be another file's by now
        }
        switch (calls.send(descriptor, packets, size)) {
          case 0, SocketCalls.EINTR -> {}
          case SocketCalls.EAGAIN -> {
            return false;
          }
          case SocketCalls.ECONNREFUSED -> throw new PortUnreachableException();
          default ->
              // No route for the moment, or a device's queue is full: lost like any packet.
              packets.position(Math.min(packets.limit(), packets.position() + size));
        }
      }
      return true;
    }
  }
}
