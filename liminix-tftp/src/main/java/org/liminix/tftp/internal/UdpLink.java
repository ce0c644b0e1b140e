package org.liminix.tftp.internal;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.net.NetworkException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A transfer's port on this machine, the fast way: a socket connected to the peer, which saves the
 * kernel a route look-up and Java an address for each packet, and a second, unconnected socket at
 * the same port that the kernel gives what others send there.
 */
public final class UdpLink implements Link {
  private static final Logger log = LoggerFactory.getLogger(UdpLink.class);

  /** Packets of one link that are handled before it is the others' turn. */
  private static final int READS_PER_TURN = 16;

  /** The most turns that pass between two looks in vain. */
  private static final int MOST_REST = 63;

  private final InetSocketAddress peer;
  private final Handler handler;
  private final DatagramChannel channel;
  private final DatagramChannel strays;
  private final ByteBuffer received;
  private final BulkSending bulk;
  private boolean outletSought;
  private BulkSending.@Nullable Outlet outlet;
  private int rest; // turns until the next look for a packet that was not told of
  private int restAfterLook; // doubles with each look in vain
  private @Nullable SelectionKey key;

  /** Opens such ports on a loop. */
  public static final class Opener implements Factory {
    private final EventLoop loop;
    private final InetAddress address;
    private final BulkSending bulk;
    private final ByteBuffer received = ByteBuffer.allocateDirect(64 * 1024);

    public Opener(EventLoop loop, InetAddress address, BulkSending bulk) {
      this.loop = loop;
      this.address = address;
      this.bulk = bulk;
    }

    @Override
    public Link open(InetSocketAddress peer, Handler handler) {
      try {
        return new UdpLink(loop, address, peer, handler, received, bulk);
      } catch (IOException e) {
        throw new NetworkException("No UDP port for a transfer to " + peer, e);
      }
    }
  }

  private UdpLink(
      EventLoop loop,
      InetAddress address,
      InetSocketAddress peer,
      Handler handler,
      ByteBuffer received,
      BulkSending bulk)
      throws IOException {
    this.peer = peer;
    this.handler = handler;
    this.received = received;
    this.bulk = bulk;
    this.channel = openChannel(peer);
    DatagramChannel second = null;
    try {
      InetAddress local = address.isAnyLocalAddress() ? null : address;
      channel.bind(new InetSocketAddress(local, 0));
      // Only now: sockets that share their ports are given a port that such a one has already.
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      second = openChannel(peer);
      second.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      second.bind(channel.getLocalAddress());
      channel.connect(peer);
    } catch (IOException e) {
      channel.close();
      if (second != null) {
        second.close();
      }
      throw e;
    }
    this.strays = second;
    // Writable at once, which is how the key becomes known before the port is ever full.
    loop.register(channel, SelectionKey.OP_READ | SelectionKey.OP_WRITE, this::ready);
    loop.register(strays, SelectionKey.OP_READ, ready -> receiveStray());
  }

  private static DatagramChannel openChannel(InetSocketAddress peer) throws IOException {
    DatagramChannel channel =
        DatagramChannel.open(
            peer.getAddress() instanceof Inet4Address
                ? StandardProtocolFamily.INET
                : StandardProtocolFamily.INET6);
    channel.configureBlocking(false);
    return channel;
  }

  @Override
  public InetSocketAddress peer() {
    return peer;
  }

  private void ready(SelectionKey ready) {
    key = ready;
    // Another port's packet, handled just before, may have ended this transfer.
    if (ready.isValid() && ready.isWritable()) {
      ready.interestOps(SelectionKey.OP_READ);
      handler.writable();
    }
    if (ready.isValid() && ready.isReadable()) {
      receive();
    }
  }

  private void receive() {
    try {
      // Only one place reads: all that a packet leads to is compiled into it.
      for (int reads = 0; reads < READS_PER_TURN && (reads == 0 || worthALook()); reads++) {
        boolean more = read();
        if (reads > 0) {
          restAfterLook = more ? 0 : Math.min(MOST_REST, 2 * restAfterLook + 1);
          rest = restAfterLook;
        }
        if (!more) {
          return;
        }
      }
    } catch (PortUnreachableException e) {
      handler.unreachable();
    } catch (IOException e) {
      log.debug("Receiving from {}", peer, e);
    }
  }

  private boolean read() throws IOException {
    received.clear();
    if (channel.read(received) <= 0) {
      return false;
    }
    handler.received(received.flip());
    return true;
  }

  /**
   * Whether to look for another packet before the loop tells of it. The peer sends it only after
   * our answer to the last, but where both ends share a processor the kernel often lets the peer
   * run in the middle of our sending, and a packet found saves a turn of the loop. A look in vain
   * costs a system call, so each is followed by a longer rest.
   */
  private boolean worthALook() {
    return channel.isOpen() && rest-- <= 0;
  }

  private void receiveStray() {
    try {
      received.clear();
      InetSocketAddress source = (InetSocketAddress) strays.receive(received);
      if (source != null) {
        received.flip();
        if (source.equals(peer)) {
          handler.received(received); // came before the first socket was connected
        } else {
          handler.strayed(received, source);
        }
      }
    } catch (IOException e) {
      log.debug("Receiving beside {}", peer, e);
    }
  }

  @Override
  public int packetsAtOnce() {
    return outlet() == null ? 1 : BulkSending.MOST_PACKETS;
  }

  @Override
  public boolean send(ByteBuffer packets, int size) {
    if (packets.remaining() <= size) {
      return write(packets);
    }
    BulkSending.Outlet way = outlet();
    return way == null ? sendEach(packets, size) : sendAtOnce(way, packets, size);
  }

  /** Sought when there is a run to send: most transfers never have one. */
  private BulkSending.@Nullable Outlet outlet() {
    if (!outletSought) {
      outletSought = true;
      outlet = bulk.of(channel);
    }
    return outlet;
  }

  private boolean sendAtOnce(BulkSending.Outlet way, ByteBuffer packets, int size) {
    try {
      if (!way.send(packets, size)) {
        awaitWritable();
        return false;
      }
    } catch (PortUnreachableException e) {
      packets.position(packets.limit());
      handler.unreachable();
    } catch (IOException e) {
      packets.position(packets.limit());
      log.debug("Sending to {}", peer, e);
    }
    return true;
  }

  private boolean sendEach(ByteBuffer packets, int size) {
    int end = packets.limit();
    while (packets.position() < end) {
      packets.limit(Math.min(end, packets.position() + size));
      boolean took = write(packets);
      packets.limit(end);
      if (!took) {
        return false;
      }
    }
    return true;
  }

  private boolean write(ByteBuffer bytes) {
    try {
      if (channel.write(bytes) == 0 && bytes.hasRemaining()) {
        awaitWritable();
        return false;
      }
    } catch (PortUnreachableException e) {
      handler.unreachable();
    } catch (IOException e) {
      // No route for the moment, or a device's queue is full: lost like any packet.
      log.debug("Sending to {}", peer, e);
    }
    bytes.position(bytes.limit());
    return true;
  }

  private void awaitWritable() {
    if (key != null && key.isValid()) {
      key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
    }
  }

  @Override
  public void sendTo(ByteBuffer packet, InetSocketAddress destination) {
    try {
      strays.send(packet, destination);
    } catch (IOException e) {
      log.debug("Sending to {}", destination, e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
      strays.close();
    } catch (IOException e) {
      log.debug("Closing the port for {}", peer, e);
    }
  }
}
