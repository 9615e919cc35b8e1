import { resumeContract } from "../../support/store-contract/resume.ts";

resumeContract();
