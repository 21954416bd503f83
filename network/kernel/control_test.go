package kernel

import (
	"net/netip"
	"testing"

	"github.com/wasport/wasport/network"
)

// TestControlMessages reads the messages that are written for a datagram, which those of a received
// one resemble, and every part of them.
func TestControlMessages(t *testing.T) {
	four, six := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	for _, sent := range []network.Control{
		{},
		{Fields: network.PacketInfo4, Source: four},
		{Fields: network.PacketInfo6, Source: six, Interface: 7},
		{Fields: network.PacketHopLimit, HopLimit: 9},
		{Fields: network.PacketTrafficClass, TrafficClass: 0x10},
		{Fields: network.PacketInfo6 | network.PacketHopLimit | network.PacketTrafficClass,
			Source: six, Interface: 7, HopLimit: 9, TrafficClass: 0x10},
	} {
		sent.Fields &= sentFields
		var buf controlBuf
		b := buf.bytes()
		n := putControl(b, &sent)
		var got network.Control
		getControl(b[:n], &got)
		if got.Fields != sent.Fields || got.Source != sent.Source && sent.Source.Is6() ||
			got.Interface != sent.Interface && sent.Source.Is6() ||
			sent.Fields&network.PacketHopLimit != 0 && got.HopLimit != sent.HopLimit ||
			sent.Fields&network.PacketTrafficClass != 0 && got.TrafficClass != sent.TrafficClass {
			t.Errorf("got %+v, want %+v", got, sent)
		}
		for end := range n {
			part := network.Control{}
			getControl(b[:end], &part)
			if part.Fields&^got.Fields != 0 {
				t.Errorf("got fields %#x of %d bytes, want none but %#x", part.Fields, end,
					got.Fields)
			}
		}
	}
}

// FuzzControl reads any bytes as control messages.
func FuzzControl(f *testing.F) {
	f.Add([]byte{})
	var buf controlBuf
	all := network.Control{Fields: sentFields, HopLimit: 9, TrafficClass: 1}
	n := putControl(buf.bytes(), &all)
	f.Add(buf.bytes()[:n])
	f.Fuzz(func(t *testing.T, data []byte) {
		var buf controlBuf
		b := buf.bytes()
		var got network.Control
		getControl(b[:copy(b, data)], &got)
		if got.Fields&^network.ControlFieldsAll != 0 {
			t.Errorf("got fields %#x, want known ones", got.Fields)
		}
	})
}
