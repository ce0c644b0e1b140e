/** Ethernet, ARP, IPv4, ICMP, UDP and DHCP as bytes, and what hosts and gateways share. */
package org.liminix.net.internal;
