package org.liminix.net;

import com.google.common.io.BaseEncoding;
import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.liminix.net.internal.DhcpMessage;
import org.liminix.net.internal.EventLog;
import org.liminix.net.internal.Futures;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Interface;

/** The server's side of DHCP (RFC 2131 section 4.3). Confined to the loop. */
final class DhcpResponder {
  /** RFC 2131 section 2: what every client takes, less the headers of IP and UDP. */
  private static final int LEAST_SIZE = 548;

  private static final int IP_AND_UDP = 28;

  /** The type of a message that says none. */
  private static final int BOOTP = 0;

  private static final Duration FOREVER = Duration.ofSeconds(0xffff_ffffL);
  private static final int MOST_SIZE = 1500 - IP_AND_UDP;

  private final DhcpSettings settings;
  private final Ipv4Interface card;
  private final EventLog<DhcpEvent> events;
  private final DhcpBindings bindings;
  private final DatagramEndpoint endpoint;

  /** The latest DHCPDISCOVER of each client whose address is being probed. */
  private final Map<String, DhcpMessage> discovering = new HashMap<>();

  private boolean closed;

  DhcpResponder(DhcpSettings settings, EthernetHost host, EventLog<DhcpEvent> events) {
    this.settings = settings;
    this.card = host.card();
    this.events = events;
    this.bindings = new DhcpBindings(settings, System::nanoTime);
    this.endpoint = host.bind(DhcpMessage.SERVER_PORT, this::received);
  }

  List<DhcpBinding> leases() {
    return bindings.current();
  }

  /** From any thread. */
  boolean isGranted(DhcpBinding binding) {
    return bindings.isGranted(binding);
  }

  void revoke(DhcpBinding binding) {
    bindings.bar(Ipv4.toInt(binding.address()));
  }

  void close() {
    closed = true;
    endpoint.close();
  }

  private void received(ByteBuffer payload, InetSocketAddress source, DatagramEndpoint ours) {
    DhcpMessage message = DhcpMessage.parse(payload).orElse(null);
    if (message == null || !message.request() || card(message).isMulticast()) {
      return;
    }
    if (message.relay() != 0 && !settings.own().contains(message.relay())) {
      ignore(message, "it is relayed from another network");
      return;
    }
    switch (message.type()) {
      case BOOTP, DhcpMessage.DISCOVER -> discover(message);
      case DhcpMessage.REQUEST -> request(message);
      case DhcpMessage.DECLINE -> decline(message);
      case DhcpMessage.RELEASE -> release(message);
      case DhcpMessage.INFORM -> inform(message);
      default -> ignore(message, "no client sends such a message");
    }
  }

  private static MacAddress card(DhcpMessage message) {
    return MacAddress.of(message.hardwareAddress());
  }

  /** RFC 2131 section 4.2: the identifier a client gives, else its hardware address. */
  private static String client(DhcpMessage message) {
    byte[] id = message.options().get(DhcpMessage.CLIENT_ID);
    return id == null || id.length == 0
        ? "card " + card(message)
        : "id " + BaseEncoding.base16().encode(id);
  }

  private static int address(DhcpMessage message, int option) {
    List<Integer> addresses = message.addresses(option);
    return addresses.size() == 1 ? addresses.get(0) : 0;
  }

  private void discover(DhcpMessage message) {
    String client = client(message);
    if (discovering.put(client, message) == null) {
      offer(client, message);
    }
  }

  private void offer(String client, DhcpMessage message) {
    Optional<Integer> chosen =
        bindings.choose(client, card(message), address(message, DhcpMessage.REQUESTED_ADDRESS));
    if (chosen.isEmpty()) {
      discovering.remove(client);
      ignore(message, "no address is free");
      return;
    }
    int address = chosen.get();
    boolean known = bindings.holds(client, address);
    bindings.reserve(client, address);
    if (known || settings.probe().isZero()) {
      sendOffer(client, address);
      return;
    }
    // RFC 2131 section 3.1: the server should look whether the address is in use. It asks with ARP,
    // for a host may refuse pings, but not to say that an address is its own.
    Futures.whenDone(
        card.probe(address, settings.probe()),
        (holder, failure) -> {
          if (holder == null || holder.isEmpty() || holder.get().equals(card(message))) {
            sendOffer(client, address);
          } else {
            bindings.bar(address);
            events.add(
                new DhcpEvent.Conflict(
                    Instant.now(), card(message), Ipv4.toInet(address), holder.get()));
            offer(client, message);
          }
        });
  }

  private void sendOffer(String client, int address) {
    DhcpMessage latest = discovering.remove(client);
    if (latest == null || closed) {
      return;
    }
    if (latest.type() == BOOTP) {
      grant(latest, address, FOREVER, DhcpEvent.Request.BOOTP);
    } else {
      send(DhcpMessage.OFFER, latest, address, Optional.of(leaseTime(latest)));
      events.add(new DhcpEvent.Offered(Instant.now(), card(latest), Ipv4.toInet(address)));
    }
  }

  /** A client may ask for less than there is, but not for more. */
  private Duration leaseTime(DhcpMessage message) {
    Duration most = settings.leaseTime();
    return message
        .seconds(DhcpMessage.LEASE_TIME)
        .filter(wanted -> wanted > 0)
        .map(Duration::ofSeconds)
        .filter(wanted -> wanted.compareTo(most) < 0)
        .orElse(most);
  }

  /** RFC 2131 section 4.3.2 tells the cases apart by what is filled in. */
  private void request(DhcpMessage message) {
    String client = client(message);
    int server = address(message, DhcpMessage.SERVER_ID);
    int requested = address(message, DhcpMessage.REQUESTED_ADDRESS);
    int current = message.clientAddress();
    if (server != 0 && server != settings.own().address()) {
      bindings.withdraw(client);
      ignore(message, "it takes the offer of " + Ipv4.toString(server));
    } else if (server != 0) {
      int address = requested == 0 ? current : requested;
      if (bindings.holds(client, address)) {
        grant(message, address, DhcpEvent.Request.SELECTING);
      } else {
        refuse(message, address, "the address was not offered");
      }
    } else if (requested != 0) {
      extend(message, requested, DhcpEvent.Request.INIT_REBOOT);
    } else if (current != 0) {
      extend(message, current, DhcpEvent.Request.RENEWING);
    } else {
      ignore(message, "it asks for no address");
    }
  }

  private void extend(DhcpMessage message, int address, DhcpEvent.Request request) {
    String client = client(message);
    if (bindings.holds(client, address)) {
      grant(message, address, request);
    } else if (!settings.authoritative() && !bindings.knows(client)) {
      ignore(message, "nothing is known of it, and other servers may know it");
    } else if (!settings.own().contains(address)) {
      refuse(message, address, "the address is not of this network");
    } else if (bindings.mayHave(client, card(message), address)) {
      grant(message, address, request);
    } else {
      refuse(message, address, "the address is not the client's");
    }
  }

  private void grant(DhcpMessage message, int address, DhcpEvent.Request request) {
    grant(message, address, leaseTime(message), request);
  }

  private void grant(
      DhcpMessage message, int address, Duration leaseTime, DhcpEvent.Request request) {
    DhcpBinding binding =
        bindings.bind(
            client(message),
            card(message),
            address,
            message.text(DhcpMessage.HOST_NAME),
            leaseTime);
    if (request == DhcpEvent.Request.BOOTP) {
      send(BOOTP, message, address, Optional.empty());
    } else {
      send(DhcpMessage.ACK, message, address, Optional.of(leaseTime));
    }
    events.add(new DhcpEvent.Granted(binding.granted(), card(message), request, binding));
  }

  private void refuse(DhcpMessage message, int address, String reason) {
    Map<Integer, byte[]> options = header(DhcpMessage.NAK);
    options.put(DhcpMessage.MESSAGE, reason.getBytes(StandardCharsets.UTF_8));
    send(message, 0, "", options);
    events.add(new DhcpEvent.Refused(Instant.now(), card(message), Ipv4.toInet(address), reason));
  }

  private void decline(DhcpMessage message) {
    int address = address(message, DhcpMessage.REQUESTED_ADDRESS);
    if (bindings.holds(client(message), address)) {
      bindings.bar(address);
      events.add(new DhcpEvent.Declined(Instant.now(), card(message), Ipv4.toInet(address)));
    } else {
      ignore(message, "the address it declines is not its own");
    }
  }

  private void release(DhcpMessage message) {
    int address = message.clientAddress();
    if (bindings.release(client(message), address)) {
      events.add(new DhcpEvent.Released(Instant.now(), card(message), Ipv4.toInet(address)));
    } else {
      ignore(message, "the address it releases is not its own");
    }
  }

  /** RFC 2131 section 4.3.5: no address and no time. */
  private void inform(DhcpMessage message) {
    Inet4Address address = Ipv4.toInet(message.clientAddress());
    if (message.clientAddress() == 0) {
      ignore(message, "it has no address to be answered at");
      return;
    }
    send(DhcpMessage.ACK, message, 0, Optional.empty());
    events.add(new DhcpEvent.Informed(Instant.now(), card(message), address));
  }

  private void ignore(DhcpMessage message, String reason) {
    events.add(new DhcpEvent.Ignored(Instant.now(), card(message), message.type(), reason));
  }

  private Map<Integer, byte[]> header(int type) {
    Map<Integer, byte[]> options = new LinkedHashMap<>();
    if (type != BOOTP) {
      options.put(DhcpMessage.MESSAGE_TYPE, new byte[] {(byte) type});
      options.put(DhcpMessage.SERVER_ID, DhcpOptions.addresses(settings.own().address()));
    }
    return options;
  }

  private void send(int type, DhcpMessage to, int address, Optional<Duration> leaseTime) {
    Map<Integer, byte[]> available = new LinkedHashMap<>(settings.options());
    leaseTime.ifPresent(
        time -> {
          available.putIfAbsent(DhcpMessage.LEASE_TIME, DhcpOptions.seconds(time));
          // RFC 2131 section 4.4.5: T1 and T2.
          available.putIfAbsent(DhcpMessage.RENEWAL_TIME, DhcpOptions.seconds(time.dividedBy(2)));
          available.putIfAbsent(
              DhcpMessage.REBINDING_TIME, DhcpOptions.seconds(time.multipliedBy(7).dividedBy(8)));
        });
    Map<Integer, byte[]> options = header(type);
    move(available, options, DhcpMessage.LEASE_TIME);
    // What was asked for comes first, in the client's order, should room be short.
    for (byte code : to.options().getOrDefault(DhcpMessage.PARAMETERS, new byte[0])) {
      move(available, options, Byte.toUnsignedInt(code));
    }
    options.putAll(available);
    send(to, address, settings.bootFile().orElse(""), options);
  }

  private static void move(Map<Integer, byte[]> from, Map<Integer, byte[]> to, int code) {
    byte[] value = from.remove(code);
    if (value != null) {
      to.put(code, value);
    }
  }

  private void send(DhcpMessage to, int address, String bootFile, Map<Integer, byte[]> options) {
    for (int echoed : new int[] {DhcpMessage.CLIENT_ID, DhcpMessage.RELAY_INFORMATION}) {
      byte[] value = to.options().get(echoed); // RFC 6842 and RFC 3046 section 2.2
      if (value != null) {
        options.put(echoed, value);
      }
    }
    boolean refusal = options.containsKey(DhcpMessage.MESSAGE);
    DhcpMessage answer =
        new DhcpMessage(
            false,
            to.transaction(),
            to.broadcast() || (refusal && to.relay() != 0),
            refusal ? 0 : to.clientAddress(),
            address,
            refusal ? 0 : settings.nextServer(),
            to.relay(),
            to.hardwareAddress(),
            bootFile,
            options);
    byte[] size = to.options().getOrDefault(DhcpMessage.MAX_SIZE, new byte[0]);
    int taken = size.length == 2 ? ByteBuffer.wrap(size).getShort() & 0xffff : 0;
    int most = Math.min(Math.max(LEAST_SIZE, taken - IP_AND_UDP), MOST_SIZE);
    endpoint.send(answer.encode(most), destination(to, address, refusal));
  }

  /** RFC 2131 section 4.1. */
  private InetSocketAddress destination(DhcpMessage to, int address, boolean refusal) {
    if (to.relay() != 0) {
      return new InetSocketAddress(Ipv4.toInet(to.relay()), DhcpMessage.SERVER_PORT);
    }
    int destination = Ipv4.BROADCAST;
    if (!refusal && to.clientAddress() != 0) {
      destination = to.clientAddress();
    } else if (!refusal && !to.broadcast()) {
      destination = address;
      card.learn(address, to.hardwareAddress());
    }
    return new InetSocketAddress(Ipv4.toInet(destination), DhcpMessage.CLIENT_PORT);
  }
}
