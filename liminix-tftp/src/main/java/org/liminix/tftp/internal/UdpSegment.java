package org.liminix.tftp.internal;

import com.kenai.jffi.ArrayFlags;
import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.HeapInvocationBuffer;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.Library;
import com.kenai.jffi.Type;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.nio.channels.DatagramChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Linux's {@code UDP_SEGMENT} (udp(7), since 4.18). Java has no such option and hides the
 * descriptor, so the socket is looked up among this process's own by its two ports, and the option
 * is set with the C library's {@code setsockopt}.
 */
public final class UdpSegment implements Segmentation {
  private static final Logger log = LoggerFactory.getLogger(UdpSegment.class);

  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
  private static final int SOL_UDP = 17;
  private static final int UDP_SEGMENT = 103;

  /** Room for a sockaddr_in6; in it and in a sockaddr_in the port lies at the same place. */
  private static final int ADDRESS_LENGTH = 28;

  private static final int PORT_OFFSET = 2;

  private volatile @Nullable C c;
  private boolean prepared;

  @Override
  public synchronized void prepare() {
    if (prepared) {
      return;
    }
    prepared = true;
    try {
      if (Files.isDirectory(DESCRIPTORS)) {
        c = new C();
        log.info("Windows are sent with UDP_SEGMENT: the kernel cuts them into packets");
        return;
      }
    } catch (LinkageError | RuntimeException e) {
      log.debug("No native calls", e);
    }
    log.info("Packets are sent one by one: UDP_SEGMENT needs Linux and jffi on the class path");
  }

  @Override
  public boolean cut(DatagramChannel channel, int size) {
    C calls = c;
    if (calls == null) {
      return false;
    }
    try {
      int local = ((InetSocketAddress) channel.getLocalAddress()).getPort();
      InetSocketAddress peer = (InetSocketAddress) channel.getRemoteAddress();
      int descriptor = peer == null ? -1 : find(calls, local, peer.getPort());
      return descriptor >= 0 && calls.setOption(descriptor, SOL_UDP, UDP_SEGMENT, size);
    } catch (IOException | RuntimeException e) {
      log.debug("UDP_SEGMENT cannot be set", e);
      return false;
    }
  }

  /** The descriptor of the socket that is bound and connected to these ports, or -1. */
  private static int find(C calls, int localPort, int peerPort) throws IOException {
    try (DirectoryStream<Path> open = Files.newDirectoryStream(DESCRIPTORS)) {
      for (Path entry : open) {
        int descriptor = Integer.parseInt(String.valueOf(entry.getFileName()));
        if (calls.port(calls.peerName, descriptor) == peerPort
            && calls.port(calls.ownName, descriptor) == localPort) {
          return descriptor;
        }
      }
    }
    return -1;
  }

  /** The three calls of the C library. In a class of its own, for jffi may be absent. */
  private static final class C {
    private final Invoker invoker = Invoker.getInstance();
    private final CallContext optionCall =
        CallContext.getCallContext(
            Type.SINT,
            new Type[] {Type.SINT, Type.SINT, Type.SINT, Type.POINTER, Type.UINT32},
            CallingConvention.DEFAULT,
            false);
    private final CallContext nameCall =
        CallContext.getCallContext(
            Type.SINT,
            new Type[] {Type.SINT, Type.POINTER, Type.POINTER},
            CallingConvention.DEFAULT,
            false);
    private final long setOption = symbol("setsockopt");
    final long ownName = symbol("getsockname");
    final long peerName = symbol("getpeername");

    private static long symbol(String name) {
      long address = Library.getDefault().getSymbolAddress(name);
      if (address == 0) {
        throw new IllegalStateException("The C library has no " + name);
      }
      return address;
    }

    boolean setOption(int descriptor, int level, int option, int value) {
      HeapInvocationBuffer arguments = new HeapInvocationBuffer(optionCall);
      arguments.putInt(descriptor);
      arguments.putInt(level);
      arguments.putInt(option);
      arguments.putArray(new int[] {value}, 0, 1, ArrayFlags.IN);
      arguments.putInt(Integer.BYTES);
      return invoker.invokeInt(optionCall, setOption, arguments) == 0;
    }

    /** The port that a call puts into a socket address, or -1 if it is no connected socket. */
    int port(long call, int descriptor) {
      byte[] address = new byte[ADDRESS_LENGTH];
      HeapInvocationBuffer arguments = new HeapInvocationBuffer(nameCall);
      arguments.putInt(descriptor);
      arguments.putArray(address, 0, address.length, ArrayFlags.OUT);
      arguments.putArray(new int[] {ADDRESS_LENGTH}, 0, 1, ArrayFlags.IN | ArrayFlags.OUT);
      if (invoker.invokeInt(nameCall, call, arguments) != 0) {
        return -1;
      }
      return java.nio.ByteBuffer.wrap(address).order(ByteOrder.BIG_ENDIAN).getShort(PORT_OFFSET)
          & 0xffff;
    }
  }
}
