-- Every label of a shipment, voided ones too: how many there were names the next one to the carrier.
CREATE INDEX shipment_label_by_shipment ON shipment_label (tenant, shipment_id);
